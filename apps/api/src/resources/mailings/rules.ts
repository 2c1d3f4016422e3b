import { applyDecorators } from '@nestjs/common';
import { canonicalTimezone } from '@app/platform';
import { Canonical } from '../../http/fields/canonical.js';
import { rule } from '../../http/fields/rule.js';

/** Rules of a mailing's fields that class-validator does not have. */

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
