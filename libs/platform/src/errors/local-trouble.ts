const CODES = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'EADDRINUSE', 'ENOBUFS', 'ENOMEM']);

/**
 * Whether a connection was never made because this process or machine has no descriptor, port or
 * memory left: nothing was sent, and the receiver is not at fault.
 */
export function isLocalTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && CODES.has(error.code)) return true;
  return error.cause !== undefined && error.cause !== error && isLocalTrouble(error.cause);
}
