/** What Postgres says when a statement meets a constraint, by SQLSTATE. */
const UNIQUE = '23505';
const FOREIGN_KEY = '23503';
const INVALID_PARAMETER = '22023';

export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === UNIQUE;
}

/** A row that was referred to has been deleted meanwhile. */
export function isForeignKeyViolation(error: unknown): boolean {
  return codeOf(error) === FOREIGN_KEY;
}

/** The database does not know a timezone that the runtime knows. */
export function isUnknownTimezone(error: unknown): boolean {
  return codeOf(error) === INVALID_PARAMETER;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
