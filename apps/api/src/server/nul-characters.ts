import type { FastifyInstance } from 'fastify';
import { DomainError, type FieldError } from '@app/platform';

/**
 * Postgres stores neither NUL characters nor halves of surrogate pairs. A request that has one
 * anywhere is refused before it reaches a handler, with the place named.
 */
export function refuseNulCharacters(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    done(request.url.includes('%00') ? refusal(placesInUrl(request.url)) : undefined);
  });
  server.addHook('preValidation', (request, _reply, done) => {
    const places: FieldError[] = [];
    collect(request.body, '', places);
    done(places.length > 0 ? refusal(places) : undefined);
  });
}

const NUL = 'must not contain a NUL character';
const HALF_PAIR = 'must be well-formed Unicode: it has half of a surrogate pair';

function refusal(errors: FieldError[]): DomainError {
  const places = errors.map((error) => error.path).join(', ');
  return new DomainError(
    'invalid',
    `There are characters that cannot be stored: ${places}`,
    errors,
  );
}

function placesInUrl(url: string): FieldError[] {
  const [path = '', query = ''] = url.split('?', 2);
  const fields = query.split('&').filter((pair) => pair.includes('%00'));
  const names = fields.map((pair) => pair.split('=', 1)[0] ?? '');
  return [...(path.includes('%00') ? ['path'] : []), ...names].map((name) => ({
    path: name,
    message: NUL,
  }));
}

function collect(value: unknown, path: string, places: FieldError[]): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) places.push({ path, message: NUL });
    else if (!value.isWellFormed()) places.push({ path, message: HALF_PAIR });
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => {
      collect(item, `${path}[${index}]`, places);
    });
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      collect(item, path === '' ? key : `${path}.${key}`, places);
    }
  }
}
