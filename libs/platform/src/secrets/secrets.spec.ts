import { createHash } from 'node:crypto';
import { decrypt, DecryptionError, encrypt } from './secrets.js';

const KEY = 'a passphrase of some length';

describe('secrets at rest', () => {
  it('come back as they were, whatever characters they have', () => {
    const secret = 'токен 🔑 eyJhbGciOi.J9';
    expect(decrypt(encrypt(secret, KEY), KEY)).toBe(secret);
    expect(decrypt(encrypt('', KEY), KEY)).toBe('');
  });

  it('do not show in the stored bytes, and look different each time', () => {
    const first = encrypt('eyJhbGciOi', KEY);
    expect(first.includes('eyJ')).toBe(false);
    expect(first.equals(encrypt('eyJhbGciOi', KEY))).toBe(false);
  });

  it('stay closed to another key, to changed bytes and to what was never encrypted', () => {
    const sealed = encrypt('secret', KEY);
    expect(() => decrypt(sealed, 'another passphrase')).toThrow(DecryptionError);
    for (const position of [1, 5, 20, 30, 45, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[position] = (changed[position] ?? 0) ^ 1;
      expect(() => decrypt(changed, KEY)).toThrow(DecryptionError);
    }
    expect(() => decrypt(Buffer.from('plain text'), KEY)).toThrow(DecryptionError);
    expect(() => decrypt(sealed.subarray(0, 44), KEY)).toThrow(DecryptionError);
  });

  it('are opened by any key of the list and closed by the first, whose id they carry', () => {
    const [older, newer] = ['an older passphrase', 'a newer passphrase'];
    const before = encrypt('secret', older);
    const after = encrypt('secret', `${newer}, ${older}`);
    expect(decrypt(before, `${newer},${older}`)).toBe('secret');
    expect(decrypt(after, newer)).toBe('secret');
    const id = createHash('sha256').update(newer).digest('hex').slice(0, 8);
    expect(after.toString('hex', 1, 5)).toBe(id);
    expect(() => decrypt(after, older)).toThrow(`encrypted with the key ${id}, which is not given`);
  });
});
