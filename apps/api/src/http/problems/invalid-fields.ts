import { DomainError, type FieldError } from '@app/platform';

/** A limit, so that the answer stays small whatever was sent. */
export const MAX_FIELD_ERRORS = 100;

/** How many of the paths the sentence about them names. */
const NAMED_PATHS = 10;
/** Longer names are cut: the answer repeats the path. */
const MAX_NAME = 100;

/** The refusal of a request with invalid fields. */
export function invalidFields(errors: FieldError[]): DomainError {
  const shown = errors.slice(0, MAX_FIELD_ERRORS);
  const named = shown.slice(0, NAMED_PATHS).map((error) => error.path);
  const places = named.join(', ') + (shown.length > named.length ? ' …' : '');
  return new DomainError('invalid', `${countOf(shown.length)} invalid: ${places}`, shown);
}

function countOf(errors: number): string {
  if (errors === 1) return '1 field is';
  return errors < MAX_FIELD_ERRORS ? `${errors} fields are` : `${errors} fields or more are`;
}

/** `filter` and `tags` make `filter.tags`, a list and `0` make `tags[0]`. */
export function pathTo(parent: string, key: string, isList = false): string {
  const name = key.length > MAX_NAME ? `${key.slice(0, MAX_NAME).toWellFormed()}…` : key;
  if (isList) return `${parent}[${name}]`;
  return parent === '' ? name : `${parent}.${name}`;
}
