import { DomainError } from '@app/platform';

/** Where the next page of a list begins: the key of the last row of this one, opaque to callers. */
export function encodeCursor(key: readonly (number | null)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/**
 * The key in a cursor: `length` safe integers, of which those at `nullable` may be null.
 *
 * @throws DomainError `invalid` when the cursor is not one that the same list made.
 */
export function decodeCursor(
  cursor: string,
  length: number,
  nullable: readonly number[] = [],
): (number | null)[] {
  const key = parse(cursor);
  const valid =
    Array.isArray(key) &&
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

/** Makes a page of `rows`, which were read with a limit of `limit + 1` to see whether more follow. */
export function pageOf<Row>(
  rows: Row[],
  limit: number,
  keyOf: (row: Row) => readonly (number | null)[],
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? encodeCursor(keyOf(last)) : null };
}
