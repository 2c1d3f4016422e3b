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
    this.reason = code;
  }

  /** Which of the refusals of its kind this is, for programs; the kind itself until `because` says it. */
  reason: string;
  /** What the reason is about: statuses, ids, limits. The caller gets to read it. */
  data: Record<string, unknown> = {};

  because(reason: string, data: Record<string, unknown> = {}): this {
    this.reason = reason;
    this.data = data;
    return this;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
