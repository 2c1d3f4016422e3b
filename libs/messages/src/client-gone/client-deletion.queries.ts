import { bookMovesLast, type Queryable } from '@app/database';
import { MAILINGS_OF_CLIENT } from './client-mailings.queries.js';

/** Locks what the deletion of a client changes: its messages that wait, and those that went to its phone. */
export async function lockOpenMessagesOfClient(db: Queryable, clientId: number): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>({
    name: 'lock-open-messages-of-client',
    text: `
      SELECT m.id FROM messages m
      WHERE m.id IN (
          SELECT p.id FROM (${MAILINGS_OF_CLIENT}) b
          CROSS JOIN LATERAL (
            SELECT id FROM messages WHERE mailing_id = b.mailing_id AND client_id = $1 LIMIT 1) p)
        AND (m.status = 'pending' OR m.address IS NOT NULL)
      ORDER BY m.id FOR UPDATE`,
    values: [clientId],
  });
  return rows.map(({ id }) => id);
}

const BOOK_CLOSED = bookMovesLast({
  rows: 'waited',
  from: 'pending',
  to: { column: 'status', oneOf: ['cancelled', 'unknown'] },
  of: 'many',
});

/**
 * Ends the waiting ones of locked messages as `cancelled`, or as `unknown` where an attempt was never
 * confirmed, takes the phone out of all of them, and counts. Deleted mailings have no counters.
 */
export async function closeLockedMessagesOfClient(db: Queryable, ids: number[]): Promise<void> {
  await db.query({
    name: 'close-locked-messages-of-client',
    text: `
WITH before AS (
  SELECT id, status = 'pending' AS waiting FROM messages WHERE id = ANY ($1::bigint[])
), closed AS (
  UPDATE messages m SET
    address = NULL,
    status = (CASE WHEN NOT b.waiting THEN m.status::text WHEN m.unconfirmed THEN 'unknown'
      ELSE 'cancelled' END)::message_status,
    last_error_code = CASE WHEN b.waiting THEN 'client_deleted' ELSE m.last_error_code END,
    last_error = CASE WHEN b.waiting THEN 'The client was deleted before sending' ELSE m.last_error END
  FROM before b WHERE m.id = b.id
  RETURNING m.mailing_id, m.status, b.waiting
), waited AS (SELECT mailing_id, status FROM closed WHERE waiting), ${BOOK_CLOSED}`,
    values: [ids],
  });
}

/** No claim can see the client any more: removes what the last claims have recorded. */
export async function forgetAddressesOfClient(db: Queryable, id: number): Promise<void> {
  await db.query({
    name: 'forget-addresses-of-client',
    text: `
      UPDATE messages SET address = NULL WHERE address IS NOT NULL AND id IN (
        SELECT m.id FROM (${MAILINGS_OF_CLIENT}) b
        JOIN messages m ON m.mailing_id = b.mailing_id AND m.client_id = $1)`,
    values: [id],
  });
}
