import type { Queryable } from '@app/database';

/** A request that must have its effect once, however often it is sent. */
export interface IdempotentRequest {
  /** Who asks: `key:4`. */
  scope: string;
  /** What the caller named the request. */
  key: string;
  /** SHA-256 of what it asks for. */
  requestHash: Buffer;
}

/** What a request with a key can make; keys for one kind do not meet those for another. */
export type ResourceKind = 'client' | 'mailing' | 'report' | 'tag';

export interface StoredRequest {
  requestHash: Buffer;
  /** Of what it made. */
  resourceId: number;
}

/** Keys are remembered this long; older rows count as not there. */
const KEPT = `interval '24 hours'`;

/**
 * Takes the key for what this transaction is about to make. Waits for another transaction that holds
 * the same key. `nameResource` is to follow before the commit.
 *
 * @returns false when the key is in use: `readStoredRequest` says by what.
 */
export async function takeKeyIfFree(
  db: Queryable,
  kind: ResourceKind,
  { scope, key, requestHash }: IdempotentRequest,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'take-key-if-free',
    text: `
      INSERT INTO idempotency_keys AS k (scope, resource_kind, key, request_hash)
      VALUES ($1, $2, $3, $4)
      ON CONFLICT (scope, resource_kind, key) DO UPDATE SET request_hash = excluded.request_hash,
        resource_id = NULL, created_at = excluded.created_at
      WHERE k.created_at < now() - ${KEPT}`,
    values: [scope, kind, key, requestHash],
  });
  return rowCount === 1;
}

/** Says what the request has made, whose key this transaction has taken. */
export async function nameResource(
  db: Queryable,
  kind: ResourceKind,
  { scope, key }: IdempotentRequest,
  id: number,
): Promise<void> {
  await db.query({
    name: 'name-resource-of-key',
    text: `
      UPDATE idempotency_keys SET resource_id = $4
      WHERE scope = $1 AND resource_kind = $2 AND key = $3`,
    values: [scope, kind, key, id],
  });
}

export async function readStoredRequest(
  db: Queryable,
  kind: ResourceKind,
  { scope, key }: IdempotentRequest,
): Promise<StoredRequest | null> {
  const { rows } = await db.query<StoredRequest>({
    name: 'read-stored-request',
    text: `
      SELECT request_hash AS "requestHash", resource_id AS "resourceId" FROM idempotency_keys
      WHERE scope = $1 AND resource_kind = $2 AND key = $3 AND created_at >= now() - ${KEPT}
        AND resource_id IS NOT NULL`,
    values: [scope, kind, key],
  });
  return rows[0] ?? null;
}
