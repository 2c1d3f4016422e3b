import type { Content } from '@app/channels';
import type { Queryable } from '@app/database';

/** One version of a mailing's content. */
export interface ContentVersion {
  /** From 1, one more with each change. */
  version: number;
  createdAt: Date;
  content: Content;
}

/** Null when there is no such version, or the mailing has been deleted. */
export async function readContentVersion(
  db: Queryable,
  mailingId: number,
  version: number,
): Promise<ContentVersion | null> {
  const { rows } = await db.query<ContentVersion>({
    name: 'read-content-version',
    text: `
      SELECT c.version, c.created_at AS "createdAt", c.content
      FROM mailing_contents c JOIN mailings g ON g.id = c.mailing_id
      WHERE c.mailing_id = $1::bigint AND c.version = $2::bigint AND g.deleted_at IS NULL`,
    values: [mailingId, version],
  });
  return rows[0] ?? null;
}
