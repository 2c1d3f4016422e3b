/**
 * When a JWT expires (`exp`), without verifying it: the provider verifies it, we only
 * warn about it. Null if it never does or is no readable JWT.
 */
export function readJwtExpiry(token: string): Date | null {
  const payload = token.split('.')[1];
  if (payload === undefined) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (typeof claims !== 'object' || claims === null || !('exp' in claims)) return null;
    if (typeof claims.exp !== 'number') return null;
    const expiry = new Date(claims.exp * 1_000);
    return Number.isNaN(expiry.getTime()) ? null : expiry;
  } catch {
    return null;
  }
}
