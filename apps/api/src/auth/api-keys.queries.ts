import type { Queryable, Role } from '@app/domain';

export interface KeyRow {
  id: number;
  name: string;
  role: Role;
  /** Until it expires, ms; null: it does not. */
  ms_left: number | null;
}

const USABLE = `
  SELECT id, name, role,
    (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::double precision AS ms_left
  FROM api_keys
  WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())`;

export async function findUsableKey(db: Queryable, hash: Buffer): Promise<KeyRow | null> {
  const { rows } = await db.query<KeyRow>({
    name: 'find-usable-key',
    text: `${USABLE} AND hash = $1`,
    values: [hash],
  });
  return rows[0] ?? null;
}

/** `fingerprint`: the first 32 hex digits of the SHA-256 of the stored hash. */
export async function findUsableKeyById(
  db: Queryable,
  id: number,
  fingerprint: string,
): Promise<KeyRow | null> {
  const { rows } = await db.query<KeyRow>({
    name: 'find-usable-key-by-id',
    text: `${USABLE} AND id = $1 AND left(encode(sha256(hash), 'hex'), 32) = $2`,
    values: [id, fingerprint],
  });
  return rows[0] ?? null;
}

/** Answers with the name of the other key that already has this hash, or null when all is well. */
export async function upsertBootstrapKey(db: Queryable, hash: Buffer): Promise<string | null> {
  const { rows } = await db.query<{ taken: string | null }>({
    text: `
      WITH other AS (SELECT name FROM api_keys WHERE hash = $1 AND name <> 'bootstrap'),
      written AS (
        INSERT INTO api_keys (name, hash, role)
        SELECT 'bootstrap', $1, 'admin' WHERE NOT EXISTS (SELECT FROM other)
        ON CONFLICT (name) DO UPDATE SET
          hash = EXCLUDED.hash, role = 'admin', expires_at = NULL, revoked_at = NULL
        WHERE api_keys.hash <> EXCLUDED.hash
      )
      SELECT (SELECT name FROM other) AS taken`,
    values: [hash],
  });
  return rows[0]?.taken ?? null;
}

/** False when there is no such key. One that was revoked before keeps its time. */
export async function revokeKey(db: Queryable, id: number): Promise<boolean> {
  const { rowCount } = await db.query({
    text: `
      UPDATE api_keys SET revoked_at = COALESCE(revoked_at, clock_timestamp())
      WHERE id = $1::bigint`,
    values: [id],
  });
  return rowCount === 1;
}
