import type { Queryable } from '@app/database';

/** A request that must have its effect once, however often it is sent. */
export interface IdempotentRequest {
  /** Who asks and for what. */
  scope: string;
  key: string;
  /** SHA-256 of the body. */
  requestHash: Buffer;
}

export interface StoredRequest {
  requestHash: Buffer;
  /** The mailing that the request made. */
  resourceId: number;
}

/** Keys are remembered this long; older rows count as not there. */
const KEPT = `interval '24 hours'`;

/**
 * Takes the key for the mailing that this transaction is about to make, and reserves its id. Waits
 * for another transaction that holds the same key.
 *
 * @returns the reserved id, or null when the key is in use: `readStoredRequest` says by what.
 */
export async function takeKeyIfFree(
  db: Queryable,
  request: IdempotentRequest,
): Promise<number | null> {
  const { rows } = await db.query<{ resourceId: number }>({
    name: 'take-key-if-free',
    text: `
      INSERT INTO idempotency_keys AS k (scope, key, request_hash, resource_id)
      VALUES ($1, $2, $3, nextval(pg_get_serial_sequence('mailings', 'id')))
      ON CONFLICT (scope, key) DO UPDATE SET request_hash = excluded.request_hash,
        resource_id = excluded.resource_id, created_at = excluded.created_at
      WHERE k.created_at < now() - ${KEPT}
      RETURNING k.resource_id AS "resourceId"`,
    values: [request.scope, request.key, request.requestHash],
  });
  return rows[0]?.resourceId ?? null;
}

export async function readStoredRequest(
  db: Queryable,
  request: Pick<IdempotentRequest, 'scope' | 'key'>,
): Promise<StoredRequest | null> {
  const { rows } = await db.query<StoredRequest>({
    name: 'read-stored-request',
    text: `
      SELECT request_hash AS "requestHash", resource_id AS "resourceId" FROM idempotency_keys
      WHERE scope = $1 AND key = $2 AND created_at >= now() - ${KEPT}`,
    values: [request.scope, request.key],
  });
  return rows[0] ?? null;
}
