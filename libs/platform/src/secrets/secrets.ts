import { createCipheriv, createDecipheriv, createHash, randomBytes, scryptSync } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 2;
const KEY_ID_BYTES = 4;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SALT_AT = 1 + KEY_ID_BYTES;
const IV_AT = SALT_AT + SALT_BYTES;
const TAG_AT = IV_AT + IV_BYTES;
const HEADER_BYTES = TAG_AT + TAG_BYTES;

/** The bytes were changed, or were encrypted with another key. */
export class DecryptionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DecryptionError';
  }
}

/**
 * The keys of `ENCRYPTION_KEY`, which is a list separated by commas: the first encrypts, all decrypt.
 * So a key is replaced by putting the new one in front, and dropped when nothing is sealed with it.
 */
function keysOf(list: string): string[] {
  return list
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
}

/** What a sealed value carries of its key: the first 8 hex digits of the key's SHA-256. */
function keyIdOf(key: string): string {
  return createHash('sha256')
    .update(key)
    .digest('hex')
    .slice(0, 2 * KEY_ID_BYTES);
}

/**
 * Encrypts a secret for the database with the first of the keys: version, key id, salt, nonce, tag,
 * ciphertext in one buffer. A key is a passphrase of any length; scrypt makes it costly to guess (some
 * 50 ms per call, so not for a hot path).
 */
export function encrypt(text: string, keys: string): Buffer {
  const [key = ''] = keysOf(keys);
  const head = Buffer.concat([Buffer.of(VERSION), Buffer.from(keyIdOf(key), 'hex')]);
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, derive(key, salt), iv);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([head, salt, iv, cipher.getAuthTag(), body]);
}

/** @throws DecryptionError when `sealed` is not what `encrypt` made with one of these keys. */
export function decrypt(sealed: Buffer, keys: string): string {
  if (sealed.length < HEADER_BYTES || sealed[0] !== VERSION) {
    throw new DecryptionError('Not a secret that this version encrypted');
  }
  const id = sealed.toString('hex', 1, SALT_AT);
  const candidates = keysOf(keys).filter((key) => keyIdOf(key) === id);
  if (candidates.length === 0) {
    throw new DecryptionError(`The secret was encrypted with the key ${id}, which is not given`);
  }
  for (const key of candidates) {
    const text = open(sealed, key);
    if (text !== null) return text;
  }
  throw new DecryptionError('The secret was encrypted with another key, or was changed');
}

function open(sealed: Buffer, key: string): string | null {
  const salt = sealed.subarray(SALT_AT, IV_AT);
  const decipher = createDecipheriv(ALGORITHM, derive(key, salt), sealed.subarray(IV_AT, TAG_AT), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(TAG_AT, HEADER_BYTES));
  try {
    const body = decipher.update(sealed.subarray(HEADER_BYTES));
    return Buffer.concat([body, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

function derive(key: string, salt: Buffer): Buffer {
  return scryptSync(key, salt, 32);
}
