import { DomainError } from '@app/platform';

/** Longer than any that we make; a longer one is not decoded. */
const MAX_LENGTH = 500;

/**
 * Where the next page of a list begins: the list's name and the key of the last row of this page,
 * opaque to callers.
 */
export function encodeCursor(list: string, key: readonly (number | null)[]): string {
  return Buffer.from(JSON.stringify([list, ...key])).toString('base64url');
}

/**
 * The key in a cursor of this list: `length` safe integers, of which those at `nullable` may be null.
 *
 * @throws DomainError `invalid` when the cursor is not one that the same list made.
 */
export function decodeCursor(
  list: string,
  cursor: string,
  length: number,
  nullable: readonly number[] = [],
): (number | null)[] {
  const content = cursor.length <= MAX_LENGTH ? parse(cursor) : undefined;
  const [name, ...key] = Array.isArray(content) ? (content as unknown[]) : [];
  const valid =
    name === list &&
    key.length === length &&
    key.every((part, at) => Number.isSafeInteger(part) || (part === null && nullable.includes(at)));
  if (!valid) throw badCursor();
  return key as (number | null)[];
}

export function badCursor(): DomainError {
  return new DomainError('invalid', 'The cursor is not one that this list gave', [
    { path: 'cursor', message: 'must be the nextCursor of an earlier page of the same list' },
  ]);
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** One page of a list; `nextCursor` is null on the last. */
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/**
 * Makes a page of `list` of `rows`, which were read with a limit of `limit + 1` to see whether more
 * follow.
 */
export function pageOf<Row>(
  list: string,
  rows: Row[],
  limit: number,
  keyOf: (row: Row) => readonly (number | null)[],
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? encodeCursor(list, keyOf(last)) : null };
}
