import type { Queryable } from '@app/database';

/** Mailings whose end has come. */
export async function findDueEnds(db: Queryable): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>({
    name: 'find-due-ends',
    text: `
      SELECT id FROM mailings
      WHERE finished_at IS NULL AND deleted_at IS NULL AND status IN ('running', 'paused')
        AND end_at <= clock_timestamp()
      ORDER BY id`,
  });
  return rows.map((row) => row.id);
}

/** At its end a mailing's status flips at once; its rows follow in pieces. */
export async function endIfDue(db: Queryable, id: number): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'end-if-due',
    text: `
      UPDATE mailings SET status = 'completed', ended_at = clock_timestamp(), updated_at = clock_timestamp()
      WHERE id = $1 AND status IN ('running', 'paused') AND end_at <= clock_timestamp()
        AND finished_at IS NULL AND deleted_at IS NULL`,
    values: [id],
  });
  return rowCount === 1;
}

/** Mailings that are over and still have pending rows. */
export async function findEndedWithPending(db: Queryable): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>({
    name: 'find-ended-with-pending',
    text: `
      SELECT g.id FROM mailings g JOIN mailing_counters k ON k.mailing_id = g.id
      WHERE g.finished_at IS NULL AND g.deleted_at IS NULL
        AND g.status IN ('completed', 'cancelled') AND k.pending > 0
      ORDER BY g.id`,
  });
  return rows.map((row) => row.id);
}

/** Mailings that have nothing left to do. */
export async function findDrained(db: Queryable): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>({
    name: 'find-drained',
    text: `
      SELECT g.id FROM mailings g JOIN mailing_counters k ON k.mailing_id = g.id
      WHERE g.finished_at IS NULL AND g.deleted_at IS NULL AND g.status <> 'scheduled'
        AND k.planned AND k.pending = 0 AND k.sending = 0
      ORDER BY g.id`,
  });
  return rows.map((row) => row.id);
}

/** Whether the messages of a mailing are all sent, or on their way: its end is near. */
export async function isAnyLastUnderWay(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'is-any-last-under-way',
    text: `
      SELECT FROM mailing_counters k JOIN mailings g ON g.id = k.mailing_id
      WHERE g.finished_at IS NULL AND g.deleted_at IS NULL AND g.status <> 'scheduled'
        AND k.planned AND k.pending = 0 AND k.sending > 0
      LIMIT 1`,
  });
  return rowCount === 1;
}

export async function findDeleted(db: Queryable): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>({
    name: 'find-deleted',
    text: 'SELECT id FROM mailings WHERE deleted_at IS NOT NULL ORDER BY id',
  });
  return rows.map((row) => row.id);
}

/** Idempotency keys expire after a day. */
export async function purgeIdempotencyKeys(db: Queryable, limit: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'purge-idempotency-keys',
    text: `
      DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE created_at < now() - interval '24 hours'
        ORDER BY created_at LIMIT $1))`,
    values: [limit],
  });
  return rowCount ?? 0;
}
