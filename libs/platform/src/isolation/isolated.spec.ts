import type { Clock } from '../clock/clock.js';
import type { Logger } from '../logging/logging.js';
import { Isolated } from './isolated.js';
import { TaskHealth } from './task-health.js';

describe('work on many things', () => {
  let now: number;
  let lines: { level: string; message: string; line: Record<string, unknown> }[];
  let health: TaskHealth;
  let broken: Set<number>;
  let done: number[];
  let isolated: Isolated<number>;
  const clock: Clock = { now: () => new Date(now), monotonic: () => now };
  class Away extends Error {}

  beforeEach(() => {
    now = 1_000_000;
    lines = [];
    done = [];
    broken = new Set();
    health = new TaskHealth();
    const at = (level: string) => (line: Record<string, unknown>, message: string) =>
      lines.push({ level, message, line });
    const logger = { error: at('error'), info: at('info'), debug: at('debug') };
    isolated = new Isolated<number>({
      task: 'plan',
      key: (id) => id,
      fields: (mailing) => ({ mailing }),
      isShared: (error) => error instanceof Away,
      clock,
      logger: logger as unknown as Logger,
      health,
    });
  });

  const work = (id: number): Promise<void> => {
    if (broken.has(id)) return Promise.reject(new Error(`${id} is broken`));
    done.push(id);
    return Promise.resolve();
  };

  it('goes on with the others when one fails', async () => {
    broken.add(2);
    expect(await isolated.run([1, 2, 3], work)).toEqual({ succeeded: 2, failed: 1, waiting: 0 });
    expect(done).toEqual([1, 3]);
  });

  it('tries what failed again on its own, after waits that double up to a minute', async () => {
    broken.add(2);
    const waits: number[] = [];
    let last = now;
    for (let tries = 0; tries < 9; now += 100) {
      const { failed } = await isolated.run([2], work);
      if (failed === 0) continue;
      waits.push(now - last);
      last = now;
      tries++;
    }
    expect(waits.slice(1)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('logs the first failure and the recovery, once each, with the item’s key', async () => {
    broken.add(2);
    for (let look = 0; look < 10; look++, now += 2_000) await isolated.run([1, 2], work);
    broken.delete(2);
    now += 60_000;
    await isolated.run([1, 2], work);
    expect(lines.filter(({ level }) => level !== 'debug')).toEqual([
      {
        level: 'error',
        message: 'failed and is set aside; the others go on',
        line: { task: 'plan', mailing: 2, failures: 1, error: '2 is broken' },
      },
      { level: 'info', message: 'works again', line: { task: 'plan', mailing: 2 } },
    ]);
    expect(isolated.failing).toBe(0);
  });

  it('ends the run when the fault concerns all items, and sets nothing aside', async () => {
    const away = new Away('the database is away');
    await expect(isolated.run([1, 2], () => Promise.reject(away))).rejects.toBe(away);
    expect(isolated.failing).toBe(0);
    expect(await isolated.run([1, 2], work)).toMatchObject({ succeeded: 2 });
  });

  it('is unhealthy when nothing has succeeded for a minute, and healthy with one success', async () => {
    broken.add(1).add(2);
    const look = async () => {
      await isolated.run([1, 2], work);
      now += 1_000;
    };
    for (let seconds = 0; seconds < 59; seconds++) await look();
    await expect(health.check(now)).resolves.toBeUndefined();
    for (let seconds = 0; seconds < 2; seconds++) await look();
    await expect(health.check(now)).rejects.toThrow('nothing succeeds any more in: plan');
    broken.delete(1);
    for (let seconds = 0; seconds < 60; seconds++) await look();
    await expect(health.check(now)).resolves.toBeUndefined();
  });

  it('is healthy again when what failed was removed', async () => {
    broken.add(1);
    for (let seconds = 0; seconds < 70; seconds++, now += 1_000) await isolated.run([1], work);
    await expect(health.check(now)).rejects.toThrow('plan');
    await isolated.run([], work);
    await expect(health.check(now)).resolves.toBeUndefined();
  });

  it('forgets what has not come back', async () => {
    broken.add(1);
    await isolated.run([1], work);
    now += 700_000;
    await isolated.run([2], work);
    expect(isolated.failing).toBe(0);
  });
});
