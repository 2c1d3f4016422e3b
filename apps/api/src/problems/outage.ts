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
 * SQLSTATEs that are about the server's state and not about the request: connection trouble (08),
 * too few resources (53), shutdown, restart or a cancelled statement (57), a session that idled too
 * long (25P03), a standby that does not take writes (25006), and what a second try cures (40).
 */
const SERVER_STATE = /^(08...|53...|57P0.|57014|25P03|25006|40001|40P01)$/;

/** The driver's and the pool's own words, which carry no code. */
const DRIVER_WORDS =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable|after calling end on the pool|timeout expired|DataSource is not (initialized|set)/i;

/** Whether the database is away, and not the request wrong. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, driverError, cause } = error as Error & { code?: unknown; driverError?: unknown };
  if (typeof code === 'string' && (NETWORK.has(code) || SERVER_STATE.test(code))) return true;
  if (DRIVER_WORDS.test(error.message)) return true;
  if (error instanceof AggregateError && error.errors.some(isOutage)) return true;
  return (driverError !== error && isOutage(driverError)) || (cause !== error && isOutage(cause));
}
