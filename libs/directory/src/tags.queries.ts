import { type Queryable, TAG_NAMES_LOCK } from '@app/database';

export interface TagRow {
  id: number;
  name: string;
}

/** Null when the name is taken. */
export async function insertTagIfNameIsFree(db: Queryable, name: string): Promise<TagRow | null> {
  const { rows } = await db.query<TagRow>({
    name: 'insert-tag-if-name-is-free',
    text: 'INSERT INTO tags (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id, name',
    values: [name],
  });
  return rows[0] ?? null;
}

/** In order of name, so that two of these never wait for each other in a circle. */
export async function insertMissingTags(db: Queryable, names: string[]): Promise<void> {
  await db.query({
    name: 'insert-missing-tags',
    text: `
      INSERT INTO tags (name)
      SELECT given.name FROM unnest($1::text[]) AS given (name)
      WHERE NOT EXISTS (SELECT FROM tags t WHERE t.name = given.name)
      ORDER BY given.name ON CONFLICT (name) DO NOTHING`,
    values: [names],
  });
}

export async function readTag(db: Queryable, id: number): Promise<TagRow | null> {
  const { rows } = await db.query<TagRow>({
    name: 'read-tag',
    text: 'SELECT id, name FROM tags WHERE id = $1::bigint',
    values: [id],
  });
  return rows[0] ?? null;
}

export async function listTags(db: Queryable, after: number, limit: number): Promise<TagRow[]> {
  const { rows } = await db.query<TagRow>({
    name: 'list-tags',
    text: 'SELECT id, name FROM tags WHERE id > $1::bigint ORDER BY id LIMIT $2',
    values: [after, limit],
  });
  return rows;
}

/** To the end of the transaction no filter is stored, and no other tag renamed or deleted. */
export async function holdTagNames(db: Queryable): Promise<void> {
  await db.query({
    name: 'hold-tag-names',
    text: `SELECT pg_advisory_xact_lock(${TAG_NAMES_LOCK})`,
  });
}

/** @throws the driver's unique violation when the name is taken */
export async function renameHeldTag(db: Queryable, id: number, name: string): Promise<void> {
  await db.query({
    name: 'rename-held-tag',
    text: 'UPDATE tags SET name = $2 WHERE id = $1::bigint',
    values: [id, name],
  });
}

export async function deleteHeldTag(db: Queryable, id: number): Promise<void> {
  await db.query({
    name: 'delete-held-tag',
    text: 'DELETE FROM tags WHERE id = $1::bigint',
    values: [id],
  });
}

/** Mailings whose audience is not written down yet, and is looked for by the tag with the name `$1`. */
const WAITING_FOR_TAG = `
  g.finished_at IS NULL AND g.deleted_at IS NULL AND g.filter -> 'tags' ? $1
  AND (g.status = 'scheduled' OR g.plan_max_client_id IS NOT NULL AND EXISTS (
    SELECT FROM mailing_counters k WHERE k.mailing_id = g.id AND NOT k.planned))`;

/** In order of id. */
export async function findMailingsWaitingForTag(
  db: Queryable,
  name: string,
  limit: number,
): Promise<{ id: number; name: string }[]> {
  const { rows } = await db.query<{ id: number; name: string }>({
    name: 'find-mailings-waiting-for-tag',
    text: `SELECT g.id, g.name FROM mailings g WHERE ${WAITING_FOR_TAG} ORDER BY g.id LIMIT $2`,
    values: [name, limit],
  });
  return rows;
}

/** A filter that names both has the new name once. */
export async function renameTagInWaitingMailings(
  db: Queryable,
  from: string,
  to: string,
): Promise<void> {
  await db.query({
    name: 'rename-tag-in-waiting-mailings',
    text: `
      UPDATE mailings SET updated_at = clock_timestamp(), filter = jsonb_set(filter, '{tags}', (
        SELECT jsonb_agg(name ORDER BY place)
        FROM (
          SELECT CASE tag WHEN $1 THEN $2 ELSE tag END AS name, min(place) AS place
          FROM jsonb_array_elements_text(filter -> 'tags') WITH ORDINALITY AS t (tag, place)
          GROUP BY 1) AS renamed))
      WHERE id IN (
        SELECT g.id FROM mailings g WHERE ${WAITING_FOR_TAG} ORDER BY g.id FOR NO KEY UPDATE)`,
    values: [from, to],
  });
}
