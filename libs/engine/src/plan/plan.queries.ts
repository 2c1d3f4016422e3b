import type { Queryable } from '@app/database';
import type { UnplannedMailing } from '@app/messages';

/** Scheduled mailings whose start has come. */
export async function findDueStarts(db: Queryable): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>({
    name: 'find-due-starts',
    text: `
      SELECT id FROM mailings
      WHERE finished_at IS NULL AND deleted_at IS NULL AND status = 'scheduled'
        AND start_at <= clock_timestamp()
      ORDER BY id`,
  });
  return rows.map((row) => row.id);
}

/** Flips it to running and freezes its audience. */
export async function startIfDue(db: Queryable, id: number): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'start-if-due',
    text: `
      UPDATE mailings SET status = 'running', updated_at = clock_timestamp(),
        plan_max_client_id = (SELECT COALESCE(max(id), 0) FROM clients)
      WHERE id = $1 AND status = 'scheduled' AND start_at <= clock_timestamp() AND deleted_at IS NULL`,
    values: [id],
  });
  return rowCount === 1;
}

/** Those without a planned message come first: a small one need not wait for a large piece. */
export async function findUnplannedMailings(db: Queryable): Promise<UnplannedMailing[]> {
  const { rows } = await db.query<UnplannedMailing>({
    name: 'find-unplanned-mailings',
    text: `
      SELECT g.id, g.status, g.filter, g.plan_cursor AS "planCursor", g.plan_max_client_id AS "planMaxClientId"
      FROM mailings g JOIN mailing_counters k ON k.mailing_id = g.id
      WHERE g.finished_at IS NULL AND g.deleted_at IS NULL AND g.status <> 'scheduled' AND NOT k.planned
      ORDER BY g.plan_cursor > 0, g.id`,
  });
  return rows;
}

/** Remembers how far planning has come; a crash before it only repeats a chunk. */
export async function movePlanCursor(
  db: Queryable,
  mailingId: number,
  cursor: number,
): Promise<void> {
  await db.query({
    name: 'move-plan-cursor',
    text: `UPDATE mailings SET plan_cursor = $2 WHERE id = $1 AND plan_cursor < $2`,
    values: [mailingId, cursor],
  });
}
