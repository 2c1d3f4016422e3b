/** What can be wrong with a request, independent of how it came in. */
export type DomainErrorCode =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'precondition_failed'
  | 'too_large'
  | 'unprocessable'
  | 'too_many_requests'
  | 'unavailable';

/** One wrong field: where it is (`filter.tags[0]`) and what is wrong with it. */
export interface FieldError {
  path: string;
  message: string;
}

/** Domain code throws this; a single filter in the API turns it into problem details. */
export class DomainError extends Error {
  constructor(
    readonly code: DomainErrorCode,
    message: string,
    readonly errors: FieldError[] = [],
    /** Seconds after which the same request may succeed; undefined: nobody knows. */
    readonly retryAfterS?: number,
  ) {
    super(message);
    this.name = 'DomainError';
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
