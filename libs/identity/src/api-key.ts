import { hash, randomBytes } from 'node:crypto';

/** Longer than any key that we make; spares hashing what cannot be one. */
const KEY_LIMIT = 512;

/** 256 random bits behind a prefix that secret scanners can look for. */
export function makeKey(): string {
  return `ph_${randomBytes(32).toString('base64url')}`;
}

/** Whether it can be a key at all. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= KEY_LIMIT;
}

/** Only this is stored: keys are long and random, so a fast hash is enough. */
export function hashOfKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/**
 * Names a stored key in a session without its hash: 32 hex digits. `findUsableKeyById` computes the
 * same in the database.
 */
export function fingerprintOf(keyHash: Buffer): string {
  return hash('sha256', keyHash, 'hex').slice(0, 32);
}
