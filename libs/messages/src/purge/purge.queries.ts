import type { Queryable } from '@app/database';
import type { Piece } from '../pieces/piece-size.js';

/**
 * Deletes up to `limit` messages of a deleted mailing, with their attempts. What somebody is just
 * writing to is left for the next time: a deletion has no order of its own to wait in.
 */
export async function purgeMessagesOfDeleted(
  db: Queryable,
  mailingId: number,
  { limit, timeoutMs }: Piece,
): Promise<{ rows: number; tookMs: number }> {
  const { rows } = await db.query<{ rows: number; tookMs: number }>({
    name: 'purge-messages-of-deleted',
    ...(timeoutMs !== undefined && { timeoutMs }),
    text: `
WITH locked AS (
  SELECT id FROM messages WHERE id IN (
    SELECT m.id FROM mailings g JOIN messages m ON m.mailing_id = g.id
    WHERE g.id = $1 AND g.deleted_at IS NOT NULL LIMIT $2)
  ORDER BY id FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM messages WHERE id IN (SELECT id FROM locked)
  RETURNING id, client_id
), forgotten AS (
  /* also for those whose messages follow in the next piece: nobody asks for a deleted mailing */
  DELETE FROM client_mailings WHERE mailing_id = $1
    AND key IN (SELECT client_id FROM gone UNION SELECT -1 - (client_id >> 8) FROM gone)
), attempts AS (
  DELETE FROM delivery_attempts WHERE message_id IN (SELECT id FROM gone)
  RETURNING 1
)
SELECT (SELECT count(*) FROM gone) AS rows, (SELECT count(*) FROM attempts) AS attempts,
  extract(epoch FROM clock_timestamp() - statement_timestamp())::float8 * 1000 AS "tookMs"`,
    values: [mailingId, limit],
  });
  return rows[0] ?? { rows: 0, tookMs: 0 };
}

/** The rest of a deleted mailing, if it has no messages any more. */
export async function purgeDeletedIfEmpty(db: Queryable, mailingId: number): Promise<void> {
  await db.query({
    name: 'purge-deleted-if-empty',
    text: `
WITH gone AS (
  DELETE FROM mailings g WHERE g.id = $1 AND g.deleted_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM messages m WHERE m.mailing_id = g.id)
  RETURNING id
), slots AS (DELETE FROM mailing_slots WHERE mailing_id IN (SELECT id FROM gone)),
contents AS (DELETE FROM mailing_contents WHERE mailing_id IN (SELECT id FROM gone)),
activity AS (DELETE FROM mailing_activity WHERE mailing_id IN (SELECT id FROM gone))
DELETE FROM mailing_errors WHERE mailing_id IN (SELECT id FROM gone)`,
    values: [mailingId],
  });
}
