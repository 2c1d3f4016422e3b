import type { MessageCounts, Queryable } from '@app/database';

export interface FinishedMailing {
  id: number;
  name: string;
  status: string;
  startAt: Date;
  endAt: Date;
  /** Null when it runs again. */
  endedAt: Date | null;
  finishedAt: Date | null;
  reportTo: string[];
  total: number;
  counts: MessageCounts;
}

/** A mailing as its completion report shows it; null when it has been deleted. */
export async function readFinished(db: Queryable, id: number): Promise<FinishedMailing | null> {
  const { rows } = await db.query<FinishedMailing>({
    name: 'read-finished-mailing',
    text: `
      SELECT g.id, g.name, g.status, g.start_at AS "startAt", g.end_at AS "endAt",
        g.ended_at AS "endedAt", g.finished_at AS "finishedAt", g.report_to AS "reportTo", k.total,
        json_build_object('pending', k.pending, 'sending', k.sending, 'sent', k.sent, 'failed', k.failed,
          'expired', k.expired, 'cancelled', k.cancelled, 'unknown', k.unknown) AS counts
      FROM mailings g JOIN mailing_counters k ON k.mailing_id = g.id
      WHERE g.id = $1 AND g.deleted_at IS NULL`,
    values: [id],
  });
  return rows[0] ?? null;
}
