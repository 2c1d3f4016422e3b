import { BOOTSTRAP_LOCK, type Queryable, type Role } from '@app/database';

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

/** The name of the key of `ADMIN_TOKEN`. */
export const BOOTSTRAP = 'bootstrap';

/** What became of the key of `ADMIN_TOKEN`. */
export type BootstrapResult =
  /** It works. */
  | 'usable'
  /** It was revoked by hand, and stays so. */
  | 'revoked'
  /** It is a key that somebody made under another name. */
  | { name: string; usable: boolean };

/**
 * Makes the key `bootstrap` exactly that of the environment: any other one that it was expires, and
 * comes back only if the environment names it again. A key that was revoked by hand never does.
 * To be called in a transaction, for several processes start at once.
 *
 * @param hash of the environment's key; null when it has none.
 * @returns `result` null when there is none; `changed` when a key was changed by this.
 */
export async function setBootstrapKey(
  session: Queryable,
  hash: Buffer | null,
): Promise<{ result: BootstrapResult | null; changed: boolean }> {
  await session.query({ text: 'SELECT pg_advisory_xact_lock($1)', values: [BOOTSTRAP_LOCK] });
  const { rows } = await session.query<{ name: string; revoked: boolean; usable: boolean }>({
    text: `
      SELECT name, revoked_at IS NOT NULL AS revoked,
        revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp()) AS usable
      FROM api_keys WHERE hash = $1`,
    values: [hash],
  });
  const [same] = rows;
  if (same?.name === BOOTSTRAP && !same.revoked) {
    const { rowCount } = await session.query({
      text: `
        UPDATE api_keys SET role = 'admin', expires_at = NULL
        WHERE name = '${BOOTSTRAP}' AND (role <> 'admin' OR expires_at IS NOT NULL)`,
      values: [],
    });
    return { result: 'usable', changed: rowCount === 1 };
  }
  if (hash !== null && !same) {
    await replaceBootstrapKey(session, hash);
    return { result: 'usable', changed: true };
  }
  const changed = await expireBootstrapKey(session);
  if (!same) return { result: null, changed };
  const result = same.revoked ? 'revoked' : { name: same.name, usable: same.usable };
  return { result, changed };
}

async function expireBootstrapKey(session: Queryable): Promise<boolean> {
  const { rowCount } = await session.query({
    text: `
      UPDATE api_keys SET expires_at = clock_timestamp()
      WHERE name = '${BOOTSTRAP}' AND revoked_at IS NULL AND expires_at IS NULL`,
    values: [],
  });
  return rowCount === 1;
}

/** The row of a key that was revoked by hand stays, under another name, so that it is known again. */
async function replaceBootstrapKey(session: Queryable, hash: Buffer): Promise<void> {
  await session.query({
    text: `
      UPDATE api_keys SET name = name || ' (key ' || id || ', revoked)'
      WHERE name = '${BOOTSTRAP}' AND revoked_at IS NOT NULL`,
    values: [],
  });
  await session.query({
    text: `
      INSERT INTO api_keys (name, hash, role) VALUES ('${BOOTSTRAP}', $1, 'admin')
      ON CONFLICT (name) DO UPDATE SET hash = EXCLUDED.hash, role = 'admin', expires_at = NULL`,
    values: [hash],
  });
}

/** Whether any key works that may make others. */
export async function hasUsableAdminKey(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query({
    text: `${USABLE} AND role = 'admin' LIMIT 1`,
    values: [],
  });
  return rowCount === 1;
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
