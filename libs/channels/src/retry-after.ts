/** Bounds on what a provider may ask for: neither a call every moment nor a stop for a day. */
const SHORTEST = 1_000;
const LONGEST = 3_600_000;

/** The longest of the date formats has 33 characters. */
const LONGEST_VALUE = 64;

/** RFC 9110's three date formats begin with a weekday; `Date.parse` alone takes `-5` for a year. */
const HTTP_DATE = /^(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,? /;

/**
 * How long the provider asks us to wait, in ms within [1 s, 1 h]; undefined if it does not say, or
 * the value cannot be read.
 *
 * @param value the header `Retry-After`: seconds or a date
 * @param date the header `Date`: a date is relative to the provider's own clock where it tells it,
 *   so that a wrong clock on either side does no harm
 */
export function parseRetryAfter(
  value: string,
  date: string | undefined,
  now: Date,
): number | undefined {
  if (value.length > LONGEST_VALUE) return undefined;
  const text = value.trim();
  if (/^\d+(?:\.\d+)?$/.test(text)) return clamp(Number(text) * 1_000);
  const until = parseHttpDate(text);
  if (until === undefined) return undefined;
  const sentAt = parseHttpDate(date?.slice(0, LONGEST_VALUE).trim() ?? '');
  const wait = until - (sentAt ?? now.getTime());
  return wait < 0 ? undefined : clamp(wait);
}

function parseHttpDate(text: string): number | undefined {
  if (!HTTP_DATE.test(text)) return undefined;
  // asctime, the oldest format, states no zone; it is UTC like the others.
  const time = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, SHORTEST), LONGEST);
}
