import { Temporal } from 'temporal-polyfill';
import { rule } from './rule.js';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)$/i;

/** The instant that an ISO 8601 text with an offset names, or null; never guesses a timezone. */
export function parseInstant(value: unknown): Date | null {
  if (typeof value !== 'string' || !INSTANT.test(value)) return null;
  try {
    return new Date(Temporal.Instant.from(value).epochMilliseconds);
  } catch {
    return null; // a day or a time that does not exist
  }
}

/** What an unset date of another program is outside of, and what every timezone can compute with. */
const EARLIEST = Date.parse('2000-01-01T00:00:00Z');
const TOO_LATE = Date.parse('2200-01-01T00:00:00Z');

/** An instant from 2000-01-01 to 2199-12-31, UTC. */
export function IsInstant(): PropertyDecorator {
  return rule(
    'isInstant',
    (value) => {
      const at = parseInstant(value)?.getTime() ?? -Infinity;
      return at >= EARLIEST && at < TOO_LATE;
    },
    (value) =>
      parseInstant(value)
        ? 'must lie between 2000-01-01 and 2199-12-31 UTC'
        : 'must be an ISO 8601 instant with an offset, like 2026-01-31T09:00:00+03:00',
  );
}

/** Passes if either side is no instant: `IsInstant` refuses that. */
export function IsLaterThan(other: string): PropertyDecorator {
  return rule(
    'isLaterThan',
    (value, object) => {
      const later = parseInstant(value);
      const earlier = parseInstant(object[other]);
      return !later || !earlier || later > earlier;
    },
    `must be after ${other}`,
  );
}

/** By this machine's clock, to name the field beside all others; the database's clock decides. */
export function IsInFuture(): PropertyDecorator {
  return rule(
    'isInFuture',
    (value) => (parseInstant(value)?.getTime() ?? Infinity) > Date.now(),
    'must be in the future',
  );
}
