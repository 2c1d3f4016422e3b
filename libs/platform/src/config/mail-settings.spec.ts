import { loadConfig } from './load-config.js';

const recipients = (value: string) =>
  loadConfig(['REPORT_RECIPIENTS'], { REPORT_RECIPIENTS: value }).REPORT_RECIPIENTS;
const from = (value: string) => loadConfig(['MAIL_FROM'], { MAIL_FROM: value }).MAIL_FROM;

describe('the addresses in the settings', () => {
  it('are kept in their canonical form', () => {
    expect(recipients('Team@Example.COM, boss@почта.рф;a@b.ru\nroot@localhost')).toEqual([
      'Team@example.com',
      'boss@xn--80a1acny.xn--p1ai',
      'a@b.ru',
      'root@localhost',
    ]);
  });

  it('are refused with the one that is none', () => {
    for (const wrong of ['nobody', 'a\u0007b@c.ru', '"a@c.ru', 'a@b..ru', 'a@[127.0.0.1]']) {
      expect(() => recipients(`a@b.ru,${wrong}`)).toThrow(
        `REPORT_RECIPIENTS: must be e-mail addresses, separated by commas: ${JSON.stringify(wrong)} is none`,
      );
    }
  });

  it('may have a name where mail comes from, but no control characters', () => {
    for (const right of ['a@b.ru', 'Posthorn <posthorn@localhost>', '"Почта, ООО" <a@почта.рф>']) {
      expect(from(right)).toBe(right);
    }
    for (const wrong of ['x', 'x <a>', 'a@b.ru>', 'x\r\nBcc: y@z.ru <a@b.ru>', '<x> <a@b.ru>']) {
      expect(() => from(wrong)).toThrow('must be an address, or a name and an <address>');
    }
  });
});
