import { DomainError, type FieldError } from '@app/platform';
import { invalidFields, MAX_FIELD_ERRORS, pathTo } from '../problems/invalid-fields.js';
import { repeatedFields } from './repeated-fields.js';

/** Our deepest body has four levels; the rest is room for what the queue inspector sends. */
export const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const BRACKET = 0x5b;
const BRACE = 0x7b;
/** From an opening one to its closing one. */
const TO_CLOSING = 2;

/**
 * The value of a JSON body; undefined for an empty one. Linear in the bytes, and without recursion
 * on a depth that the caller chose.
 *
 * @throws DomainError `invalid` for what is no UTF-8, no JSON, deeper than `MAX_DEPTH`, names a field
 *   twice, or has text that cannot be stored.
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  const members = countMembers(bytes);
  if (members === null) {
    throw new DomainError('invalid', `The body is nested deeper than ${MAX_DEPTH} levels`);
  }
  const text = decodeUtf8(bytes);
  if (text === '') return undefined;
  const value = parse(text);
  const { errors, names } = unusableText(value);
  if (errors.length === 0 && names !== members) errors.push(...repeatedFields(text));
  if (errors.length > 0) throw invalidFields(errors);
  return value;
}

/** @throws DomainError `invalid`. A byte order mark is skipped. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DomainError('invalid', 'The body is not UTF-8: send it in that encoding');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DomainError('invalid', `The body is not JSON: ${reason}`);
  }
}

/**
 * How many `name: value` the text has; null when it is too deep. Before anything is parsed, for V8
 * takes a third of a second for a megabyte of brackets.
 */
function countMembers(bytes: Uint8Array): number | null {
  let depth = 0;
  let members = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === BRACKET || byte === BRACE) {
      depth++;
      if (depth > MAX_DEPTH) return null;
    } else if (byte === BRACKET + TO_CLOSING || byte === BRACE + TO_CLOSING) depth--;
    else if (byte === COLON) members++;
  }
  return members;
}

/** An object or a list of the body, and where it is. */
interface Place {
  value: object;
  parent: Place | null;
  key: string | number;
}

/**
 * Postgres stores neither NUL characters nor halves of surrogate pairs, and no field of
 * ours is called `__proto__`. Each place is named, `MAX_FIELD_ERRORS` of them at most.
 *
 * @returns with the number of names in all objects together.
 */
function unusableText(body: unknown): { errors: FieldError[]; names: number } {
  const errors: FieldError[] = [];
  let names = 0;
  // The body is treated as the only element of a list.
  const waiting: Place[] = [{ value: [body], parent: null, key: '' }];
  const look = (item: unknown, parent: Place, key: string | number) => {
    if (typeof item === 'object' && item !== null) waiting.push({ value: item, parent, key });
    const message = typeof item === 'string' ? faultOf(item) : null;
    if (message !== null) errors.push({ path: pathOf({ parent, key }), message });
  };
  for (const place of waiting) {
    if (errors.length >= MAX_FIELD_ERRORS) break;
    if (Array.isArray(place.value)) {
      for (let at = 0; at < place.value.length; at++) look(place.value[at], place, at);
      continue;
    }
    for (const [key, item] of Object.entries(place.value)) {
      names++;
      const message = key === '__proto__' ? 'is not a known field' : faultOf(key);
      if (message === null) look(item, place, key);
      else errors.push({ path: pathOf({ parent: place, key }), message });
    }
  }
  return { errors: errors.slice(0, MAX_FIELD_ERRORS), names };
}

/** Not deeper than `MAX_DEPTH`. The outermost list is the one that was put around the body. */
function pathOf({ parent, key }: Pick<Place, 'parent' | 'key'>): string {
  if (!parent?.parent) return '';
  return pathTo(pathOf(parent), String(key), Array.isArray(parent.value));
}

function faultOf(text: string): string | null {
  if (text.includes('\0')) return 'must not contain a NUL character';
  return text.isWellFormed()
    ? null
    : 'must be well-formed Unicode: it has half of a surrogate pair';
}
