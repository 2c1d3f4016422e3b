import type { Database, Queryable } from '@app/database';
import { DomainError } from '@app/platform';
import {
  type IdempotentRequest,
  nameResource,
  readStoredRequest,
  type ResourceKind,
  takeKeyIfFree,
} from './idempotency.queries.js';

export interface Created<Resource> {
  resource: Resource;
  /** Whether an earlier request with the same key made it. */
  replayed: boolean;
}

type Read<Resource> = (db: Queryable, id: number) => Promise<Resource | null>;

/**
 * Makes a resource unless an earlier request with this key has made it; then it is that one, as it is
 * now. A request that fails does not use up its key.
 *
 * @param create runs in the transaction that takes the key
 * @throws DomainError `unprocessable` when the key belongs to another request, `conflict` when what it
 *   made has been deleted since; whatever `create` throws.
 */
export async function createOnce<Resource extends { id: number }>(
  database: Database,
  kind: ResourceKind,
  request: IdempotentRequest,
  create: (session: Queryable) => Promise<Resource>,
  read: Read<Resource>,
): Promise<Created<Resource>> {
  const made = await database.transaction(async (session) => {
    if (!(await takeKeyIfFree(session, kind, request))) return null;
    const resource = await create(session);
    await nameResource(session, kind, request, resource.id);
    return resource;
  });
  if (made) return { resource: made, replayed: false };
  const resource = await findReplay(database, kind, request, read);
  if (!resource) {
    throw new DomainError('conflict', 'The key has just run out; send it again').because(
      'changed_meanwhile',
    );
  }
  return { resource, replayed: true };
}

/**
 * What an earlier request with this key made, as it is now; null when there was none.
 *
 * @throws DomainError `unprocessable` when that was another request, `conflict` when what it made has
 *   been deleted since.
 */
export async function findReplay<Resource>(
  database: Database,
  kind: ResourceKind,
  request: IdempotentRequest,
  read: Read<Resource>,
): Promise<Resource | null> {
  const stored = await readStoredRequest(database.pool, kind, request);
  if (!stored) return null;
  if (!stored.requestHash.equals(request.requestHash)) {
    throw new DomainError(
      'unprocessable',
      'This Idempotency-Key was used with another body in the last 24 hours',
      [{ path: 'Idempotency-Key', message: 'belongs to a request with another body' }],
    ).because('idempotency_key_reused');
  }
  const resource = await read(database.pool, stored.resourceId);
  if (resource) return resource;
  throw new DomainError(
    'conflict',
    `The ${kind} ${stored.resourceId}, which this Idempotency-Key made, has been deleted`,
  ).because('idempotent_resource_deleted', { kind, id: stored.resourceId });
}
