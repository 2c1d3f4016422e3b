import fc from 'fast-check';

import { detailOf, excerptOf } from './provider-words.js';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjIwMDAwMDAwMDB9.c2lnbmF0dXJl';
const PHONE = '79991234567';

describe('excerptOf', () => {
  it('keeps the first KB, without a broken character at its end', () => {
    const excerpt = excerptOf(Buffer.from(`${'x'.repeat(1_023)}яя`), {});
    expect(excerpt).toBe('x'.repeat(1_023));
  });

  it('is text that Postgres takes, of at most 1 KB, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000, size: 'max' }), (bytes) => {
        const excerpt = excerptOf(Buffer.from(bytes), {}) ?? '';
        expect(excerpt).not.toContain('\0');
        expect(Buffer.from(excerpt).toString()).toBe(excerpt);
        expect(Buffer.byteLength(excerpt)).toBeLessThanOrEqual(1_024);
      }),
    );
  });

  it('replaces what is not UTF-8 and removes NUL', () => {
    expect(excerptOf(Buffer.from([0x61, 0xff, 0x00, 0x62]), {})).toBe('a\uFFFDb');
  });

  it('is undefined for an empty answer', () => {
    expect(excerptOf(Buffer.alloc(0), {})).toBeUndefined();
  });

  it('leaves no part of a token that crosses its end', () => {
    const excerpt = excerptOf(Buffer.from(`${'x'.repeat(1_000)} ${JWT}`), { token: JWT });
    expect(excerpt).toBe(`${'x'.repeat(1_000)} ***`);
  });
});

describe('detailOf', () => {
  it('is one line of at most 300 characters', () => {
    expect(detailOf(' a\r\n\tb\0c ', {})).toBe('a b c');
    expect(detailOf('x'.repeat(300), {})).toHaveLength(300);
    const long = detailOf('x'.repeat(301), {});
    expect(long).toBe(`${'x'.repeat(299)}…`);
  });

  it('has no half of an emoji', () => {
    expect(detailOf(`${'x'.repeat(298)}😀😀`, {})).toBe(`${'x'.repeat(298)}…`);
    expect(detailOf('a\ud83d', {})).toBe('a\uFFFD');
  });

  it.each([
    [PHONE, '***'],
    [`+${PHONE}!`, '***!'],
    ['8 999 123-45-67', '***'],
    ['tel: +7 (999) 123 45 67.', 'tel: ***.'],
    ['9991234567', '***'],
    ['"phone":79991234567,', '"phone":***,'],
    ['79991234568', '79991234568'],
  ])('masks the phone in %p', (words, masked) => {
    expect(detailOf(words, { phone: PHONE })).toBe(masked);
  });

  it.each([
    [`token ${JWT} expired`, { token: JWT }, 'token *** expired'],
    ['key s3cr3t!', { token: 's3cr3t' }, 'key ***!'],
    [`someone else's ${JWT}.`, {}, "someone else's ***."],
    ['Authorization: Bearer abc.def-123, sorry', {}, 'Authorization: Bearer ***, sorry'],
  ])('masks tokens in %p', (words, secrets, masked) => {
    expect(detailOf(words, secrets)).toBe(masked);
  });
});
