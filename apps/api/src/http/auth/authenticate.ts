import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '@app/platform';
import { type ApiKeyLookup, type Caller, includesRole, isKey } from '@app/identity';
import { neededRole } from './min-role.js';

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

/** @throws DomainError `unauthenticated` */
export async function authenticate(keys: ApiKeyLookup, request: FastifyRequest): Promise<Caller> {
  const key = keyOf(request.headers);
  if (key === undefined) {
    throw new DomainError(
      'unauthenticated',
      'An API key is needed: header `token: <key>` or `Authorization: Bearer <key>`',
    );
  }
  const caller = await keys.callerOf(key);
  if (!caller) {
    throw new DomainError('unauthenticated', 'This API key is unknown, expired or revoked').because(
      'unknown_key',
    );
  }
  return caller;
}

/**
 * Guards every route that `isOpen` does not name: a new route needs a key unless it is listed there.
 * A hook and no guard of Nest, for those run when the body is parsed: a mebibyte of JSON from anybody
 * without a key would hold the process for 30 to 110 ms. The hook throws DomainError `unauthenticated`
 * and `forbidden`.
 */
export function guardRoutes(
  server: FastifyInstance,
  keys: ApiKeyLookup,
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
      ).because('role', { needed, role: caller.role });
    }
    request.caller = caller;
  });
}
