import type { ChannelName, Queryable } from '@app/database';

export interface ExpiredLease {
  id: number;
  mailingId: number;
  channel: ChannelName;
  attempt: number;
}

/**
 * Messages whose worker did not come back in time.
 *
 * @param except mailings that have just failed: they must not keep others out of the limit.
 */
export async function findExpiredLeases(
  db: Queryable,
  limit: number,
  except: number[] = [],
): Promise<ExpiredLease[]> {
  const { rows } = await db.query<ExpiredLease>({
    name: 'find-expired-leases',
    text: `
      SELECT m.id, m.mailing_id AS "mailingId", g.channel, m.attempts AS attempt
      FROM mailings g
      JOIN mailing_counters k ON k.mailing_id = g.id AND k.sending > 0
      JOIN messages m ON m.mailing_id = g.id AND m.status = 'sending' AND m.lease_until < clock_timestamp()
      WHERE g.finished_at IS NULL AND g.deleted_at IS NULL AND g.id <> ALL ($2::bigint[])
      ORDER BY m.id LIMIT $1`,
    values: [limit, except],
  });
  return rows;
}
