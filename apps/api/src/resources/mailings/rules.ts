import { applyDecorators } from '@nestjs/common';
import { ValidateBy, ValidateIf } from 'class-validator';
import { Temporal } from 'temporal-polyfill';
import { canonicalTimezone } from '@app/platform';
import { Canonical } from '../../http/canonical.js';

/** Rules of a mailing's fields that class-validator does not have. */

/** The field may be left out or null, which mean the same. */
export function MayBeNone(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined && value !== null);
}

/** `max` counts Unicode code points: what looks like one character is mostly one. */
export function IsText(max: number): PropertyDecorator {
  return rule(
    'isText',
    (value) => {
      if (typeof value !== 'string' || value.trim() === '' || value.length > 2 * max) return false;
      return value.length <= max || Array.from(value).length <= max;
    },
    `must be 1 to ${max} characters, not only white space`,
  );
}

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

export function IsTimeOfDay(): PropertyDecorator {
  return rule(
    'isTimeOfDay',
    (value) => typeof value === 'string' && /^([01]\d|2[0-3]):[0-5]\d$/.test(value),
    (value) =>
      value === '24:00'
        ? 'must be a time of day from 00:00 to 23:59: midnight is 00:00'
        : 'must be a time of day, HH:MM from 00:00 to 23:59',
  );
}

export function Differs(other: string): PropertyDecorator {
  return rule(
    'differs',
    (value, object) => value === undefined || value !== object[other],
    `must differ from ${other}`,
  );
}

/** `client`, or a timezone spelled anyhow, read as its canonical name. */
export function IsWindowTimezone(): PropertyDecorator {
  const form = (text: string) => (text === 'client' ? text : canonicalTimezone(text));
  return applyDecorators(
    Canonical(form),
    rule(
      'isWindowTimezone',
      (value) => typeof value === 'string' && form(value) !== null,
      'must be "client" or an IANA timezone, like Europe/Moscow',
    ),
  );
}

function rule(
  name: string,
  holds: (value: unknown, object: Record<string, unknown>) => boolean,
  message: string | ((value: unknown) => string),
): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value, args) => holds(value, (args?.object ?? {}) as Record<string, unknown>),
      defaultMessage: (args) => (typeof message === 'string' ? message : message(args?.value)),
    },
  });
}
