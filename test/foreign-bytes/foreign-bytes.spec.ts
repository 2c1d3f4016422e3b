import fc from 'fast-check';
import { around, NESTED, nested, repeated, UNITS } from './bodies.js';
import { growthOf, type Reader } from './growth.js';
import { READERS } from './readers.js';

function plain(read: (input: string) => unknown): Reader<unknown> {
  return { prepare: (text) => text, read: read as (input: unknown) => unknown };
}

/** Bytes that somebody else chose are read in linear time, whatever they are. */
describe('what reads foreign bytes', () => {
  const bodies = [
    ...UNITS.flatMap((unit) => around(unit).map((make) => [unit, make] as const)),
    ...NESTED.flatMap((pair) => nested(pair).map((make) => [pair[0], make] as const)),
  ];

  it.each(Object.keys(READERS))(
    'reads %s in linear time',
    (name) => {
      const reader = READERS[name] ?? plain((input) => input);
      const faults = bodies.flatMap(([unit, make]) => {
        const { fault } = growthOf(reader, make);
        return fault === null ? [] : [`${JSON.stringify(unit)}: ${fault}`];
      });
      expect(faults).toEqual([]);
    },
    120_000,
  );

  it.each(Object.keys(READERS))(
    'reads %s in linear time, whatever is repeated',
    (name) => {
      const reader = READERS[name] ?? plain((input) => input);
      const unit = fc
        .array(fc.oneof(fc.constantFrom(...UNITS), fc.string({ unit: 'binary', maxLength: 3 })), {
          minLength: 1,
          maxLength: 6,
        })
        .map((parts) => parts.join(''))
        .filter((text) => text !== '');
      fc.assert(
        fc.property(unit, (text) => {
          expect(growthOf(reader, repeated(text)).fault).toBeNull();
        }),
        { numRuns: 25 },
      );
    },
    120_000,
  );

  // The readers as they were before they were corrected: they show that the measure can fail.
  it.each<[string, (text: string) => unknown, string]>([
    [
      'a pattern that begins with a run of separators',
      // eslint-disable-next-line regexp/no-super-linear-move -- to be found
      (text) => text.replace(/[\s().-]*9[\s().-]*9/g, ''),
      '-',
    ],
    ['a pattern for tokens', (text) => text.replace(/\beyJ[\w-]{6,}\.[\w-]+/gi, ''), 'eyJ-'],
    [
      'a search in a list for each of its elements',
      (text) => text.split('').filter((_, at, all) => all.includes(`${at}`)),
      'x',
    ],
  ])('would be caught: %s', (_, work, unit) => {
    expect(growthOf(plain(work), repeated(unit)).fault).not.toBeNull();
  });
});
