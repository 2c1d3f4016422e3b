import { parseRetryAfter } from './retry-after.js';

const NOW = new Date('2026-10-01T12:00:00Z');
const HOUR = 3_600_000;

describe('parseRetryAfter', () => {
  it.each([
    ['7', 7_000],
    [' 30 ', 30_000],
    ['1.5', 1_500],
    ['0', 1_000],
    ['3600', HOUR],
    ['999999999999999999999', HOUR],
    ['Thu, 01 Oct 2026 12:00:10 GMT', 10_000],
    ['Thursday, 01-Oct-26 12:00:10 GMT', 10_000],
    ['Thu Oct  1 12:00:10 2026', 10_000],
    ['Thu, 01 Oct 2026 12:00:00 GMT', 1_000],
    ['Sat, 02 Oct 2027 12:00:00 GMT', HOUR],
  ])('takes %p for %i ms', (value, ms) => {
    expect(parseRetryAfter(value, undefined, NOW)).toBe(ms);
  });

  it.each(['', '-5', '-0.5', '+5', '1e3', 'NaN', 'Infinity', 'soon', '0x10', '2026-10-01', '5 s'])(
    'makes nothing of %p',
    (value) => {
      expect(parseRetryAfter(value, undefined, NOW)).toBeUndefined();
    },
  );

  it.each(['Thu, 01 Oct 2026 11:59:00 GMT', 'Thu, 99 Foo 2026 12:00:00 GMT'])(
    'makes nothing of a past or impossible date: %p',
    (value) => {
      expect(parseRetryAfter(value, undefined, NOW)).toBeUndefined();
    },
  );

  it("counts a date from the provider's own clock, whatever ours says", () => {
    const [until, date] = ['Thu, 01 Oct 2026 09:01:00 GMT', 'Thu, 01 Oct 2026 09:00:00 GMT'];
    expect(parseRetryAfter(until, date, NOW)).toBe(60_000);
  });
});
