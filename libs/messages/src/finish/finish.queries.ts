import type { Queryable } from '@app/database';

/**
 * Completes what has nothing left to do; its slots are deleted with that. The counter row is locked first, so
 * that a reopening and this cannot both win.
 *
 * @returns its status; null: it has something to do again.
 */
export async function finishIfDrained(db: Queryable, id: number): Promise<string | null> {
  const { rows } = await db.query<{ status: string }>({
    name: 'finish-if-drained',
    text: `
WITH done AS (
  SELECT k.mailing_id FROM mailing_counters k JOIN mailings g ON g.id = k.mailing_id
  WHERE k.mailing_id = $1 AND g.finished_at IS NULL AND g.deleted_at IS NULL
    AND g.status <> 'scheduled' AND k.planned AND k.pending = 0 AND k.sending = 0
  FOR UPDATE OF k
), finished AS (
  UPDATE mailings g SET
    status = CASE WHEN g.status = 'cancelled' THEN g.status ELSE 'completed' END,
    ended_at = COALESCE(g.ended_at, clock_timestamp()), finished_at = clock_timestamp(),
    updated_at = clock_timestamp()
  FROM done WHERE g.id = done.mailing_id AND g.finished_at IS NULL
  RETURNING g.id, g.status
), slots AS (DELETE FROM mailing_slots WHERE mailing_id IN (SELECT id FROM finished)),
summed AS (UPDATE mailing_counters k SET in_totals = true FROM finished WHERE k.mailing_id = finished.id)
SELECT status FROM finished`,
    values: [id],
  });
  return rows[0]?.status ?? null;
}
