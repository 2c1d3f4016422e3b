import fc from 'fast-check';
import { forecastOf, progressOf, throughputOf } from './throughput.js';

const NOW = new Date('2030-01-01T12:00:30Z'); // half of its minute is over
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
const thisMinute = (sent: number) => ({ minute: at(-30), sent });
const lastMinute = (sent: number) => ({ minute: at(-90), sent });
const NONE = { pending: 0, sending: 0, sent: 0, failed: 0, expired: 0, cancelled: 0, unknown: 0 };

describe('throughput', () => {
  it('is that of the last 60 seconds, of the minute before by its share', () => {
    const recent = [lastMinute(600), thisMinute(300)];
    const row = { now: NOW, startAt: at(-600), finishedAt: null, recent, sent: 6_000 };
    expect(throughputOf(row)).toEqual({ lastMinute: 600, perSecond: 10, averagePerSecond: 10 });
  });

  it('counts only the time in which the mailing was under way', () => {
    const recent = [thisMinute(100)];
    const row = { now: NOW, startAt: at(-5), finishedAt: null, recent, sent: 100 };
    expect(throughputOf(row)).toEqual({ lastMinute: 100, perSecond: 20, averagePerSecond: 20 });
  });

  it('takes all of a minute that began with the mailing inside it', () => {
    const recent = [lastMinute(50), thisMinute(300)];
    const row = { now: NOW, startAt: at(-35), finishedAt: null, recent, sent: 350 };
    expect(throughputOf(row)).toMatchObject({ lastMinute: 350, perSecond: 10 });
  });

  it('keeps the average of a mailing that is done, while the present goes to zero', () => {
    const row = { now: NOW, startAt: at(-600), finishedAt: at(-500), recent: [], sent: 1_000 };
    expect(throughputOf(row)).toEqual({ lastMinute: 0, perSecond: 0, averagePerSecond: 10 });
  });

  it('has no average before the start', () => {
    const row = { now: NOW, startAt: at(60), finishedAt: null, recent: [], sent: 0 };
    expect(throughputOf(row)).toEqual({ lastMinute: 0, perSecond: 0, averagePerSecond: null });
  });

  it('never invents messages', () => {
    const count = fc.nat(100_000);
    fc.assert(
      fc.property(count, count, fc.integer({ min: -300, max: 10 }), (before, now, start) => {
        const recent = [lastMinute(before), thisMinute(now)];
        const row = { now: NOW, startAt: at(start), finishedAt: null, recent, sent: before + now };
        const { lastMinute: found, perSecond } = throughputOf(row);
        expect(found).toBeGreaterThanOrEqual(0);
        expect(found).toBeLessThanOrEqual(before + now);
        expect(perSecond).toBeLessThanOrEqual(before + now);
      }),
    );
  });
});

describe('the forecast of the end', () => {
  const running = {
    status: 'running' as const,
    planned: true,
    laneOpen: true,
    now: NOW,
    endAt: at(3_600),
    finishedAt: null,
    counts: { ...NONE, pending: 90, sending: 10, sent: 500 },
  };

  it('is when the rest is sent at the present speed', () => {
    expect(forecastOf(running, 10, null)).toEqual(at(10));
  });

  it('is never after the end of the mailing', () => {
    expect(forecastOf(running, 0.001, null)).toEqual(at(3_600));
  });

  it('waits for the zone that opens last', () => {
    expect(forecastOf(running, 10, at(600))).toEqual(at(600));
    expect(forecastOf(running, 10, at(5_000))).toEqual(at(3_600));
  });

  it('is now for a mailing that is done', () => {
    expect(forecastOf({ ...running, status: 'completed', finishedAt: at(-9) }, 0, null)).toEqual(
      at(-9),
    );
  });

  it.each([
    ['it is paused', { status: 'paused' as const }],
    ['its audience is not planned', { planned: false }],
    ['its channel is closed', { laneOpen: false }],
    ['nothing is left, and it is not finished', { counts: NONE }],
  ])('is unknown while %s', (_, difference) => {
    expect(forecastOf({ ...running, ...difference }, 10, null)).toBeNull();
  });

  it('is unknown while nothing is sent', () => {
    expect(forecastOf(running, 0, at(60))).toBeNull();
  });
});

describe('progress', () => {
  it('is the share of messages that are done, whatever became of them', () => {
    const counts = { ...NONE, pending: 5, sending: 1, sent: 10, failed: 2, expired: 1, unknown: 1 };
    expect(progressOf({ total: 20, counts, finishedAt: null })).toBe(0.7);
  });

  it('of a mailing without messages is 0 or 1', () => {
    expect(progressOf({ total: 0, counts: NONE, finishedAt: null })).toBe(0);
    expect(progressOf({ total: 0, counts: NONE, finishedAt: NOW })).toBe(1);
  });
});
