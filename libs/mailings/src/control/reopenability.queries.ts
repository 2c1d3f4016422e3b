import type { MailingStatus, Queryable } from '@app/database';

/** What decides whether messages of a mailing may be sent again. */
export async function readReopenability(
  db: Queryable,
  id: number,
): Promise<{ status: MailingStatus; ended: boolean } | null> {
  const { rows } = await db.query<{ status: MailingStatus; ended: boolean }>({
    name: 'read-reopenability',
    text: `SELECT status, end_at <= clock_timestamp() AS ended FROM mailings
      WHERE id = $1 AND deleted_at IS NULL`,
    values: [id],
  });
  return rows[0] ?? null;
}
