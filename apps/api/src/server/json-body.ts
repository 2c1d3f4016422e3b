import { DomainError, type FieldError } from '@app/platform';
import { invalidFields, MAX_FIELD_ERRORS, pathTo } from './invalid-fields.js';

/** Our deepest body has four levels; the rest is room for what the queue inspector sends. */
export const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * The value of a JSON body; undefined for an empty one. Linear in the bytes, and without recursion
 * on a depth that the caller chose.
 *
 * @throws DomainError `invalid` for what is no UTF-8, no JSON, deeper than `MAX_DEPTH`, or has text
 *   that cannot be stored.
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  if (isTooDeep(bytes)) {
    throw new DomainError('invalid', `The body is nested deeper than ${MAX_DEPTH} levels`);
  }
  const text = decodeUtf8(bytes);
  if (text === '') return undefined;
  const value = parse(text);
  const errors = unusableText(value);
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

/** Before anything is parsed: V8 takes a third of a second for a megabyte of brackets. */
function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (OPENING.has(byte)) {
      depth++;
      if (depth > MAX_DEPTH) return true;
    } else if (CLOSING.has(byte)) depth--;
  }
  return false;
}

/**
 * Postgres stores neither NUL characters nor halves of surrogate pairs, and `__proto__` is no name
 * that anything of ours may have. Each place is named, `MAX_FIELD_ERRORS` of them at most.
 */
export function unusableText(body: unknown): FieldError[] {
  const errors: FieldError[] = [];
  const waiting: { value: unknown; path: string }[] = [{ value: body, path: '' }];
  for (const { value, path } of waiting) {
    if (typeof value === 'string') pushTextFault(value, path, errors);
    if (typeof value !== 'object' || value === null) continue;
    const isList = Array.isArray(value);
    for (const key of Object.keys(value)) {
      const item = (value as Record<string, unknown>)[key];
      if (!isList && key === '__proto__') {
        errors.push({ path: pathTo(path, key), message: 'is not a known field' });
      } else if (!isList && faultOf(key) !== null) {
        errors.push({ path: pathTo(path, key), message: `its name ${faultOf(key) ?? ''}` });
      } else if (typeof item === 'string') {
        if (faultOf(item) !== null) pushTextFault(item, pathTo(path, key, isList), errors);
      } else if (typeof item === 'object' && item !== null) {
        waiting.push({ value: item, path: pathTo(path, key, isList) });
      }
      if (errors.length >= MAX_FIELD_ERRORS) return errors;
    }
  }
  return errors;
}

function pushTextFault(text: string, path: string, errors: FieldError[]): void {
  const message = faultOf(text);
  if (message !== null) errors.push({ path, message });
}

function faultOf(text: string): string | null {
  if (text.includes('\0')) return 'must not contain a NUL character';
  return text.isWellFormed()
    ? null
    : 'must be well-formed Unicode: it has half of a surrogate pair';
}
