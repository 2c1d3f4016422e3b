import { UnusableDatabase } from './unusable-database.js';

/** Errors of the network below the driver. */
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * SQLSTATEs that are about the server's state and not about the statement: lost connections (08),
 * too few resources (53), shutdown or restart (57P), a session that idled too long (25P03), and a
 * standby that does not take writes (25006).
 */
const SERVER_STATE = /^(?:08...|53...|57P0.|25P03|25006)$/;

/** A statement that was cancelled, waited or took too long, which may succeed at a second try. */
const TRY_AGAIN = new Set(['57014', '55P03', '40001', '40P01']);

/** No table, no function, no column, no schema of this name. */
const NOT_MIGRATED = new Set(['42P01', '42883', '42703', '3F000']);

/** The driver's and the pool's own words, which carry no code. */
const DRIVER_WORDS =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable|after calling end on the pool|timeout expired|DataSource is not (?:initialized|set)/i;

/** Whether the database is unreachable as a whole: every statement would fail now. */
export function isDatabaseAway(error: unknown): boolean {
  return someCause(
    error,
    (one) =>
      one instanceof UnusableDatabase ||
      (typeof one.code === 'string' && (NETWORK.has(one.code) || SERVER_STATE.test(one.code))) ||
      DRIVER_WORDS.test(one.message),
  );
}

/** Whether the server ended a statement because it took too long. */
export function isTimeout(error: unknown): boolean {
  return someCause(error, ({ code }) => code === '57014');
}

/** Whether the database cannot store a value (SQLSTATE 22), whatever its state. */
export function isValueRefused(error: unknown): error is Error {
  return someCause(error, ({ code }) => typeof code === 'string' && code.startsWith('22'));
}

/** What the database refuses, whatever its state: a value, or what a constraint (23) forbids. */
export function isRefusal(error: unknown): error is Error {
  return (
    isValueRefused(error) ||
    someCause(error, ({ code }) => typeof code === 'string' && code.startsWith('23'))
  );
}

/**
 * Whether the same request may succeed later: the database is unreachable, or this statement was
 * cancelled or lost a conflict.
 */
export function isOutage(error: unknown): boolean {
  return (
    isDatabaseAway(error) ||
    someCause(error, ({ code }) => typeof code === 'string' && TRY_AGAIN.has(code))
  );
}

/** Whether the database answers and lacks our schema, or a newer part of it: `migrate` did not run. */
export function isSchemaMissing(error: unknown): boolean {
  return someCause(error, ({ code }) => typeof code === 'string' && NOT_MIGRATED.has(code));
}

type CodedError = Error & { code?: unknown; driverError?: unknown };

/** TypeORM and the socket layer wrap what went wrong. */
function someCause(error: unknown, holds: (error: CodedError) => boolean): boolean {
  if (!(error instanceof Error)) return false;
  const { driverError, cause } = error as CodedError;
  if (holds(error)) return true;
  if (error instanceof AggregateError && error.errors.some((one) => someCause(one, holds))) {
    return true;
  }
  return (
    (driverError !== error && someCause(driverError, holds)) ||
    (cause !== error && someCause(cause, holds))
  );
}
