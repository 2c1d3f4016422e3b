import type { Queryable } from '@app/domain';

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

/** @throws the driver's unique violation when the name is taken */
export async function renameTag(db: Queryable, id: number, name: string): Promise<TagRow | null> {
  const { rows } = await db.query<TagRow>({
    name: 'rename-tag',
    text: 'UPDATE tags SET name = $2 WHERE id = $1::bigint RETURNING id, name',
    values: [id, name],
  });
  return rows[0] ?? null;
}

export async function deleteTag(db: Queryable, id: number): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'delete-tag',
    text: 'DELETE FROM tags WHERE id = $1::bigint',
    values: [id],
  });
  return rowCount === 1;
}
