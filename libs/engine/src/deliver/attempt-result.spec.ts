import type { Outcome } from '@app/channels';
import { attemptResult } from './attempt-result.js';

type Message = Parameters<typeof attemptResult>[0];

const message = { id: 7, attempt: 3 } as Message;
const reason = { code: 'http_503', detail: 'Service Unavailable', httpStatus: 503, excerpt: '<p>' };
const resultOf = (outcome: Outcome, durationMs = 12.6) =>
  attemptResult(message, outcome, durationMs);

describe('what is recorded of an attempt', () => {
  it('is its message, its number and how long it took, in whole milliseconds', () => {
    expect(resultOf({ kind: 'delivered', httpStatus: 200 })).toEqual({
      id: 7,
      attempt: 3,
      durationMs: 13,
      httpStatus: 200,
      outcome: 'delivered',
      countsAsTry: true,
      delayMs: null,
      code: null,
      detail: null,
      excerpt: null,
    });
  });

  it('has the reason, in the words of the provider', () => {
    const { code, detail, excerpt, httpStatus } = resultOf({ kind: 'retry', ...reason });
    expect({ code, detail, excerpt, httpStatus }).toEqual(reason);
  });

  it('has no words where the provider gave none', () => {
    const outcome: Outcome = { kind: 'unknown', code: 'timeout', detail: 'no answer in time' };
    expect(resultOf(outcome)).toMatchObject({ httpStatus: null, excerpt: null });
  });

  it.each<[Outcome['kind'], Outcome, boolean, number | null]>([
    ['rejected', { kind: 'rejected', ...reason }, true, null],
    ['unknown', { kind: 'unknown', ...reason }, true, null],
    ['retry', { kind: 'retry', ...reason }, true, null],
    ['retry', { kind: 'retry', retryAfterMs: 90_000, ...reason }, true, 90_000],
    ['unavailable', { kind: 'unavailable', scope: 'down', ...reason }, false, 5_000],
    ['unavailable', { kind: 'unavailable', scope: 'auth', ...reason }, false, 5_000],
    ['unavailable', { kind: 'unavailable', scope: 'rate', ...reason }, false, 5_000],
    [
      'unavailable',
      { kind: 'unavailable', scope: 'rate', retryAfterMs: 700, ...reason },
      false,
      700,
    ],
    ['unavailable', { kind: 'skipped', ...reason }, false, 1_000],
    ['unavailable', { kind: 'skipped', retryAfterMs: 50, ...reason }, false, 50],
  ])('is %s for %j: whether it was a try, and the wait before the next', (...row) => {
    const [outcome, from, countsAsTry, delayMs] = row;
    expect(resultOf(from)).toMatchObject({ outcome, countsAsTry, delayMs });
  });

  it('has no duration where nothing was written', () => {
    expect(resultOf({ kind: 'skipped', ...reason }).durationMs).toBeNull();
  });
});
