import type { FastifyInstance } from 'fastify';
import type { FieldError } from '@app/platform';
import { invalidFields, pathTo } from './invalid-fields.js';

/**
 * Refuses a URL whose query does not decode to text that Postgres can store, with the fields named:
 * NUL characters, and bytes that are not UTF-8. The router sees to the latter in the path.
 */
export function refuseUnreadableUrls(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const errors = request.url.includes('%') ? urlFaults(request.url) : [];
    done(errors.length > 0 ? invalidFields(errors) : undefined);
  });
}

export function urlFaults(url: string): FieldError[] {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const pairs = at < 0 ? [] : url.slice(at + 1).split('&');
  const faults: [name: string, fault: string | null][] = [
    ['path', path.includes('%00') ? 'must not contain a NUL character' : null],
    ...pairs.map((pair): [string, string | null] => [pair.split('=', 1)[0] ?? '', faultOf(pair)]),
  ];
  return faults.flatMap(([name, message]) =>
    message === null ? [] : [{ path: pathTo('', name), message }],
  );
}

function faultOf(pair: string): string | null {
  if (pair.includes('%00')) return 'must not contain a NUL character';
  try {
    decodeURIComponent(pair);
    return null;
  } catch {
    return 'must be UTF-8, percent-encoded';
  }
}
