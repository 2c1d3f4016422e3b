import type { FieldError } from '@app/platform';
import { MAX_FIELD_ERRORS, pathTo } from '../problems/invalid-fields.js';

interface Level {
  path: string;
  /** The names so far, of an object; null in a list. */
  names: Set<string> | null;
  /** Of the value that is read now: the field's name, or the place in the list. */
  key: string;
  expectsName: boolean;
}

/**
 * The fields that an object of this JSON document has twice: `JSON.parse` keeps the last of them and
 * says nothing. The document is valid and not deep; the work is linear in its length.
 */
export function repeatedFields(json: string): FieldError[] {
  const errors: FieldError[] = [];
  const levels: Level[] = [];
  for (let at = 0; at < json.length && errors.length < MAX_FIELD_ERRORS; at++) {
    const level = levels.at(-1);
    switch (json.charAt(at)) {
      case '"': {
        const end = endOfString(json, at);
        if (level?.names && level.expectsName) {
          readName(level, level.names, JSON.parse(json.slice(at, end + 1)) as string, errors);
        }
        at = end;
        break;
      }
      case '{':
      case '[': {
        const names = json[at] === '{' ? new Set<string>() : null;
        const path = level ? pathTo(level.path, level.key, !level.names) : '';
        levels.push({ path, names, key: '0', expectsName: names !== null });
        break;
      }
      case ',':
        if (level?.names) level.expectsName = true;
        else if (level) level.key = String(Number(level.key) + 1);
        break;
      case '}':
      case ']':
        levels.pop();
        break;
    }
  }
  return errors;
}

function readName(level: Level, names: Set<string>, name: string, errors: FieldError[]): void {
  if (names.has(name)) {
    errors.push({ path: pathTo(level.path, name), message: 'must be there once' });
  }
  names.add(name);
  level.key = name;
  level.expectsName = false;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}
