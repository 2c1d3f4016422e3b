import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '@app/platform';
import type { ApiKeys } from './api-keys.js';
import type { Caller } from './caller.js';
import { includesRole, neededRole } from './min-role.js';

/** Longer than any key that we make; spares hashing what cannot be one. */
const KEY_LIMIT = 512;

/**
 * The key of a request: header `token`, or `Authorization: Bearer`; undefined when there is none.
 */
export function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const { token, authorization } = headers;
  const key =
    (typeof token === 'string' && token.trim()) ||
    /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  return isKey(key) ? key : undefined;
}

/** Whether it can be a key at all. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= KEY_LIMIT;
}

/** @throws DomainError `unauthenticated` */
export async function authenticate(keys: ApiKeys, request: FastifyRequest): Promise<Caller> {
  const key = keyOf(request.headers);
  if (key === undefined) {
    throw new DomainError(
      'unauthenticated',
      'An API key is needed: header `token: <key>` or `Authorization: Bearer <key>`',
    );
  }
  const caller = await keys.callerOf(key);
  if (!caller) {
    throw new DomainError('unauthenticated', 'This API key is unknown, expired or revoked');
  }
  return caller;
}

/**
 * Guards every route that `isOpen` does not name, before the body is read: a route that somebody
 * adds and forgets needs a key, too.
 */
export function guardRoutes(
  server: FastifyInstance,
  keys: ApiKeys,
  isOpen: (routeUrl: string) => boolean,
): void {
  server.decorateRequest('caller', null);
  server.addHook('onRequest', async (request) => {
    const { url, config } = request.routeOptions;
    if (request.is404 || url === undefined || isOpen(url)) return;
    const caller = await authenticate(keys, request);
    const needed = neededRole(request.method, config.minRole);
    if (!includesRole(caller.role, needed)) {
      throw new DomainError(
        'forbidden',
        `This needs the role ${needed}; the key "${caller.name}" has the role ${caller.role}`,
      );
    }
    request.caller = caller;
  });
}
