import type { Outcome } from '@app/channels';
import { BreakerWindow } from './breaker.js';
import { verdictOf } from './verdict.js';

describe('the window of a breaker', () => {
  let now: number;
  let window: BreakerWindow;

  beforeEach(() => {
    now = 0;
    window = new BreakerWindow({ now: () => new Date(now), monotonic: () => now });
  });

  /** @returns the calls, counted from 1, that were one too many. */
  const run = (calls: string): number[] =>
    calls.split('').flatMap((call, index) => {
      if (call === '+') {
        window.good();
        return [];
      }
      return window.bad() ? [index + 1] : [];
    });

  it('is exceeded by the tenth bad call in a row', () => {
    expect(run('-----------')).toEqual([10, 11]);
  });

  it('starts the row again after a good call', () => {
    expect(run(`${'+'.repeat(30)}---------+---------`)).toEqual([]);
  });

  it('is exceeded when half of at least 20 calls are bad', () => {
    expect(run('+-+-+-+-+-+-+-+-+-')).toEqual([]); // nine of 18
    expect(run('+-')).toEqual([2]); // ten of 20
  });

  it('is not exceeded by less than half', () => {
    expect(run('++-'.repeat(40))).toEqual([]);
  });

  it.each([
    [29_999, [12]],
    [30_000, []],
  ])('forgets what is 30 s old: after %i ms', (age, tooMany) => {
    run('-----+---'); // eight of nine
    now = age;
    expect(run('+-+-+-+-+-+-')).toEqual(tooMany);
  });

  it('counts from nothing after a reset', () => {
    run('---------');
    window.reset();
    expect(run('---------')).toEqual([]);
    expect(run('-')).toEqual([1]);
  });
});

describe('what an outcome means for the provider', () => {
  const reason = { code: 'x', detail: 'y' };

  it.each<[ReturnType<typeof verdictOf>, Outcome]>([
    ['good', { kind: 'delivered', httpStatus: 200 }],
    ['good', { kind: 'rejected', ...reason }],
    ['bad', { kind: 'retry', ...reason }],
    ['bad', { kind: 'unknown', ...reason }],
    ['bad', { kind: 'unavailable', scope: 'down', ...reason }],
    ['neutral', { kind: 'unavailable', scope: 'rate', ...reason }],
    ['fatal', { kind: 'unavailable', scope: 'auth', ...reason }],
    ['neutral', { kind: 'skipped', ...reason }],
    ['neutral', { kind: 'skipped', isLocal: true, ...reason }],
  ])('is %s: %j', (verdict, outcome) => {
    expect(verdictOf(outcome)).toBe(verdict);
  });
});
