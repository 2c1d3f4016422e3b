import type { Queryable } from '@app/database';

/** As SQL: the counters of the mailings in the relation `created`, all zero. */
export const OPEN_BOOKS = 'INSERT INTO mailing_counters (mailing_id) SELECT id FROM created';

/**
 * As SQL: takes the counters of the mailing `$1` away, and with them its part of the totals. It comes
 * before any change of its row: all who lock both take them in this order.
 */
export const CLOSE_BOOKS =
  'DELETE FROM mailing_counters WHERE mailing_id = $1 RETURNING mailing_id';

/** In their order, for what is going to change counters or the rows of their mailings. */
export async function lockCountersOf(db: Queryable, mailingIds: number[]): Promise<void> {
  await db.query({
    name: 'lock-counters-of',
    text: 'SELECT FROM mailing_counters WHERE mailing_id = ANY ($1::bigint[]) ORDER BY mailing_id FOR UPDATE',
    values: [mailingIds],
  });
}
