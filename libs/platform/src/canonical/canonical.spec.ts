import { canonicalEmail } from './email.js';
import { canonicalName, WHITE_SPACE } from './name.js';

describe('the canonical form of an e-mail address', () => {
  it.each([
    ['Team@Example.COM', 'Team@example.com'],
    [' a@b.ru ', 'a@b.ru'],
    ['иван@Почта.РФ', 'иван@xn--80a1acny.xn--p1ai'],
    ['a@xn--80a1acny.xn--p1ai', 'a@xn--80a1acny.xn--p1ai'],
    ['a@faß.de', 'a@xn--fa-hia.de'],
    ['a@example。com', 'a@example.com'],
    ['a@ｅxample.com.', 'a@example.com'],
    ['jose\u0301@example.com', 'jos\u00e9@example.com'],
    ['root@localhost', 'root@localhost'],
    ["o'brien+tag@mail.example.com", "o'brien+tag@mail.example.com"],
  ])('of %p is %p', (address, canonical) => {
    expect(canonicalEmail(address)).toBe(canonical);
    expect(canonicalEmail(canonical)).toBe(canonical);
  });

  it.each([
    '',
    'a',
    '@b.ru',
    'a@',
    'a@b..ru',
    'a@.ru',
    'a@-b.ru',
    'a@b/c.ru',
    'a@b.ru:25',
    'a@ex%61mple.com',
    'a@[127.0.0.1]',
    'a b@c.ru',
    'a@b c.ru',
    'a@b@c.ru',
    'a\u0000@b.ru',
    'a\r\nBcc: x@y.ru@b.ru',
    '"a\u0007b"@c.ru',
    '"a b"@c.ru',
    'Team <a@b.ru>',
    'a,b@c.ru',
    'a\u202eb@c.ru',
  ])('is not of %p', (address) => {
    expect(canonicalEmail(address)).toBeNull();
  });

  it('is not of what is too long for a part, a label or a domain', () => {
    for (const address of [
      `${'a'.repeat(65)}@b.ru`,
      `a@${'b'.repeat(64)}.ru`,
      `a@${'b.'.repeat(127)}ru`,
      `a@${'ы'.repeat(100_000)}`,
    ]) {
      expect(canonicalEmail(address)).toBeNull();
    }
  });
});

describe('the canonical form of a name', () => {
  it('is composed, and has no white space at its ends', () => {
    expect(canonicalName('\u00a0 \ufeffи\u0306од  a\u2003\n')).toBe('йод  a');
    expect(canonicalName(' \t')).toBe('');
  });

  it('knows every white space that the runtime trims', () => {
    expect(WHITE_SPACE).toHaveLength(25);
    expect(WHITE_SPACE.join('').trim()).toBe('');
    expect(WHITE_SPACE).toEqual(expect.arrayContaining([' ', '\n', '\u00a0', '\u3000', '\ufeff']));
  });
});
