import fc from 'fast-check';
import { nameOfText } from './mailing-name.js';

describe('the name of a mailing that was given none', () => {
  it.each([
    ['Everything at half price.', 'Everything at half price.'],
    ['x'.repeat(61), 'x'.repeat(60)],
    ['👑'.repeat(61), '👑'.repeat(60)],
    [`${'ж'.repeat(59)} и дальше`, 'ж'.repeat(59)],
    ['\n  Hello,\n\n\tKatya \r\n', 'Hello, Katya'],
    ['cafe\u0301', 'caf\u00e9'],
  ])('of the text %j is %j', (text, name) => {
    expect(nameOfText(text)).toBe(name);
  });

  it('is 1 to 60 whole characters, and stays the same when it is named so', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (text) => {
        fc.pre(text.trim() !== '');
        const name = nameOfText(text);
        expect(name.isWellFormed()).toBe(true);
        expect(Array.from(name).length).toBeGreaterThan(0);
        expect(Array.from(name).length).toBeLessThanOrEqual(60);
        expect(nameOfText(name)).toBe(name);
      }),
    );
  });
});
