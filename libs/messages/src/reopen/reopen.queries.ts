import { bookMoves, type Queryable, WAKE_CHANNEL } from '@app/database';

/** How far the messages of one status of a mailing have been read; in order of `messages_due`. */
export interface ReopenCursor {
  zoneId: number;
  /** As PostgreSQL writes it: `-infinity` is no JavaScript date. */
  notBefore: string;
  id: number;
}

export interface ReopenedChunk {
  reopened: number;
  /** Null when there was nothing left. */
  cursor: ReopenCursor | null;
}

/**
 * Makes the next messages of a final status pending again, and their mailing running with them. Only
 * `tries` starts at 0: `attempts` is the fence and only grows, an unconfirmed message keeps its text
 * and phone. A message that ends in the same status again is behind the cursor, so the walk ends.
 *
 * Runs in a transaction: `reopenMailingIfNotEnded` decides last whether it is committed.
 */
export async function reopenChunk(
  db: Queryable,
  mailingId: number,
  status: 'failed' | 'unknown',
  after: ReopenCursor | null,
  limit: number,
): Promise<ReopenedChunk> {
  const { rows } = await db.query<ReopenCursor & { reopened: number }>({
    name: `reopen-chunk-${status}`,
    text: `
      WITH chunk AS MATERIALIZED (
        SELECT m.zone_id, m.not_before, m.id FROM messages m
        WHERE m.mailing_id = $1 AND m.status = '${status}'
          AND (m.zone_id, m.not_before, m.id) > ($2::int, $3::timestamptz, $4::bigint)
        ORDER BY m.zone_id, m.not_before, m.id LIMIT $5
      ), locked AS MATERIALIZED (
        SELECT m.id, m.attempts, m.unconfirmed FROM messages m
        WHERE m.id IN (SELECT id FROM chunk) AND m.status = '${status}' ORDER BY m.id FOR UPDATE
      ), reopened AS (
        UPDATE messages m SET status = 'pending', not_before = '-infinity', tries = 0,
          /* unchanged: see record.queries */
          attempts = locked.attempts, unconfirmed = locked.unconfirmed, lease_until = NULL, sent_at = NULL
        FROM locked WHERE m.id = locked.id
        RETURNING m.id
      ), ${bookMoves({ rows: 'reopened', from: status, to: 'pending', of: { one: '$1' } })}
      SELECT zone_id AS "zoneId", not_before::text AS "notBefore", id,
        (SELECT count(*) FROM reopened) AS reopened
      FROM chunk ORDER BY chunk.zone_id DESC, chunk.not_before DESC, chunk.id DESC LIMIT 1`,
    values: [mailingId, after?.zoneId ?? 0, after?.notBefore ?? '-infinity', after?.id ?? 0, limit],
  });
  const [last] = rows;
  if (!last) return { reopened: 0, cursor: null };
  const { reopened, ...cursor } = last;
  return { reopened, cursor };
}

/**
 * A completed mailing runs again and beat is woken; one that ended, was cancelled or deleted stays
 * what it is.
 */
export async function reopenMailingIfNotEnded(db: Queryable, id: number): Promise<boolean> {
  const { rows } = await db.query({
    name: 'reopen-mailing-if-not-ended',
    text: `
      WITH reopened AS (
        UPDATE mailings SET
          status = CASE status WHEN 'paused' THEN status ELSE 'running' END,
          ended_at = NULL, finished_at = NULL, updated_at = clock_timestamp()
        WHERE id = $1 AND deleted_at IS NULL AND status IN ('running', 'paused', 'completed')
          AND end_at > clock_timestamp()
        RETURNING id
      ), unsummed AS (
        UPDATE mailing_counters k SET in_totals = false FROM reopened
        WHERE k.mailing_id = reopened.id AND k.in_totals
      ) SELECT pg_notify('${WAKE_CHANNEL}', '') FROM reopened`,
    values: [id],
  });
  return rows.length === 1;
}
