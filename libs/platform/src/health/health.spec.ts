import { Health, HealthFault } from './health.js';

describe('what a probe answers', () => {
  it('is a code, words and data for each failed check, and nothing of errors of others', async () => {
    const health = new Health();
    health.register('ready', 'fine', () => Promise.resolve());
    health.register('ready', 'tasks', () =>
      Promise.reject(
        new HealthFault('nothing succeeds', { code: 'tasks_failing', data: { n: 1 } }),
      ),
    );
    health.register('ready', 'plain', () => Promise.reject(new HealthFault('not yet')));
    health.register('ready', 'driver', () =>
      Promise.reject(new Error('password of host 10.0.0.1')),
    );
    const hidden = 'does not work; the reason is in the log';
    expect(await health.report('ready')).toEqual({
      ok: false,
      checks: { fine: 'ok', tasks: 'nothing succeeds', plain: 'not yet', driver: hidden },
      faults: [
        { check: 'tasks', code: 'tasks_failing', words: 'nothing succeeds', data: { n: 1 } },
        { check: 'plain', code: 'failed', words: 'not yet', data: {} },
        { check: 'driver', code: 'failed', words: hidden, data: {} },
      ],
    });
  });

  it('is ok without a failed check', async () => {
    expect(await new Health().report('live')).toEqual({ ok: true, checks: {}, faults: [] });
  });
});
