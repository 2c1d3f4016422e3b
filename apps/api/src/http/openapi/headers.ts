import type { OpenAPIObject } from '@nestjs/swagger';
import { VERSIONED } from '../versions/versioned.js';
import { type Operation, responsesOf, routesOf } from './schema.js';

/** Headers that clients act on. `required`: every answer of that status has it. */
const HEADERS = {
  ETag: {
    description: 'Of the resource as it is now: for `If-Match`',
    required: true,
    schema: { type: 'string', example: '"2jmj7l5rSw0yVb_vlWAYkK"' },
  },
  Location: {
    description: 'The path of what was made',
    required: true,
    schema: { type: 'string', example: '/clients/42' },
  },
  IdempotentReplayed: {
    description: 'There when an earlier request with this `Idempotency-Key` has made the resource',
    schema: { type: 'string', enum: ['true'] },
  },
  RetryAfter: {
    description: 'Seconds after which the same request may succeed',
    required: true,
    schema: { type: 'integer', example: 1, minimum: 0 },
  },
  Authenticate: {
    description: 'How to authenticate, and whether it is the role that does not suffice',
    required: true,
    schema: { type: 'string', example: 'Bearer realm="posthorn"' },
  },
} as const;
type HeaderName = keyof typeof HEADERS;

const reference = (name: HeaderName) => ({ $ref: `#/components/headers/${name}` });

/** Declares the headers of every answer, each written once in the components. */
export function declareHeaders(document: OpenAPIObject): void {
  for (const { operation } of routesOf(document)) {
    const versioned = takeMark(operation);
    for (const { status, response } of responsesOf(operation)) {
      const declared = {
        ...(versioned && status < 300 && { ETag: reference('ETag') }),
        ...(status === 201 && { Location: reference('Location') }),
        ...(status < 300 &&
          isIdempotent(operation) && { 'Idempotent-Replayed': reference('IdempotentReplayed') }),
        ...headersOfRefusal(status),
      };
      if (Object.keys(declared).length > 0) {
        response.headers = { ...response.headers, ...declared };
      }
    }
  }
  document.components ??= {};
  document.components.headers = structuredClone(HEADERS) as never;
}

/** Of the refusals that carry any. */
export function headersOfRefusal(status: number): Record<string, { $ref: string }> {
  if (status === 401 || status === 403) return { 'WWW-Authenticate': reference('Authenticate') };
  if (status === 429 || status === 503) return { 'Retry-After': reference('RetryAfter') };
  return {};
}

/** Handlers that answer with one resource have `@Versioned()`. */
function takeMark(operation: Operation): boolean {
  const marked = operation as Operation & { [VERSIONED]?: boolean };
  const versioned = marked[VERSIONED] ?? false;
  Reflect.deleteProperty(marked, VERSIONED);
  return versioned;
}

function isIdempotent({ parameters = [] }: Operation): boolean {
  return parameters.some((one) => 'name' in one && one.name.toLowerCase() === 'idempotency-key');
}
