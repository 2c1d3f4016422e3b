import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + SALT_BYTES + IV_BYTES + TAG_BYTES;

/** The bytes were changed, or were encrypted with another key. */
export class DecryptionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DecryptionError';
  }
}

/**
 * Encrypts a secret for the database: version, salt, nonce, tag, ciphertext in one buffer. `key` is
 * a passphrase of any length; scrypt makes it costly to guess (some 50 ms per call, so not for a
 * hot path).
 */
export function encrypt(text: string, key: string): Buffer {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, derive(key, salt), iv);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), salt, iv, cipher.getAuthTag(), body]);
}

/** @throws DecryptionError when `sealed` is not what `encrypt` made with this key. */
export function decrypt(sealed: Buffer, key: string): string {
  if (sealed.length < HEADER_BYTES || sealed[0] !== VERSION) {
    throw new DecryptionError('Not a secret that this version encrypted');
  }
  const iv = sealed.subarray(1 + SALT_BYTES, 1 + SALT_BYTES + IV_BYTES);
  const salt = sealed.subarray(1, 1 + SALT_BYTES);
  const decipher = createDecipheriv(ALGORITHM, derive(key, salt), iv, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(HEADER_BYTES - TAG_BYTES, HEADER_BYTES));
  try {
    const body = decipher.update(sealed.subarray(HEADER_BYTES));
    return Buffer.concat([body, decipher.final()]).toString('utf8');
  } catch {
    throw new DecryptionError('The secret was encrypted with another key, or was changed');
  }
}

function derive(key: string, salt: Buffer): Buffer {
  return scryptSync(key, salt, 32);
}
