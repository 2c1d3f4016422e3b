import type { FastifyInstance } from 'fastify';
import type { FieldError } from '@app/platform';
import { invalidFields, MAX_FIELD_ERRORS, pathTo } from '../problems/invalid-fields.js';

/**
 * Refuses a URL whose query does not decode to text that Postgres can store, with the fields named:
 * NUL characters, and bytes that are not UTF-8. The router refuses the latter in the path.
 */
export function refuseUnreadableUrls(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const errors = request.url.includes('%') ? urlFaults(request.url) : [];
    done(errors.length > 0 ? invalidFields(errors) : undefined);
  });
}

/** @returns what is wrong with the path and with each parameter, at most `MAX_FIELD_ERRORS`. */
export function urlFaults(url: string): FieldError[] {
  if (!url.includes(NUL) && decodes(url)) return [];
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const errors: FieldError[] = [];
  if (path.includes(NUL)) errors.push({ path: pathTo('', 'path'), message: NUL_FAULT });
  for (const pair of at < 0 ? [] : url.slice(at + 1).split('&')) {
    if (errors.length === MAX_FIELD_ERRORS) break; // each costs an exception
    const message = faultOf(pair);
    if (message !== null) errors.push({ path: pathTo('', nameOf(pair)), message });
  }
  return errors;
}

const NUL = '%00';
const NUL_FAULT = 'must not contain a NUL character';

function faultOf(pair: string): string | null {
  if (pair.includes(NUL)) return NUL_FAULT;
  return decodes(pair) ? null : 'must be UTF-8, percent-encoded';
}

function nameOf(pair: string): string {
  const end = pair.indexOf('=');
  return end < 0 ? pair : pair.slice(0, end);
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
