import { STATUS_CODES } from 'node:http';
import { DomainError, messageOf, type DomainErrorCode } from '@app/platform';
import type { Answer } from './route.js';

const STATUS: Record<DomainErrorCode, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unprocessable: 422,
  too_many_requests: 429,
  unavailable: 503,
};

/** RFC 9457 problem details; what is no DomainError is a fault of the simulator itself. */
export function problemOf(error: unknown): Answer {
  const status = error instanceof DomainError ? STATUS[error.code] : 500;
  const body = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: messageOf(error),
    errors: error instanceof DomainError ? error.errors : [],
  };
  return { status, pieces: [JSON.stringify(body)], contentType: 'application/problem+json' };
}
