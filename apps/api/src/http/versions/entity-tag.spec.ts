import { assertMatches, entityTagOf, parseIfMatch } from './entity-tag.js';

describe('If-Match', () => {
  it.each([
    ['*', '*'],
    [' * ', '*'],
    ['"a"', ['"a"']],
    ['"a", "b" ,"c"', ['"a"', '"b"', '"c"']],
    [',, "a",,"b",', ['"a"', '"b"']],
    ['"a,b"', ['"a,b"']],
    ['""', ['""']],
    ['W/"a"', []],
    ['W/"a", "b"', ['"b"']],
  ])('%j says %j', (header, says) => {
    expect(parseIfMatch(header)).toEqual(says);
  });

  it.each(['', ',', 'a', '"a', '"a" "b"', 'w/"a"', '"a", *', '"a"x', '"a\u0001"'])(
    '%j is refused',
    (header) => {
      expect(() => parseIfMatch(header)).toThrow('The If-Match is not usable');
    },
  );

  it('holds for a resource as it is, and for no other', () => {
    const resource = { id: 1, name: 'vip', at: new Date(0) };
    const tag = entityTagOf(resource);
    expect(tag).toMatch(/^"[\w-]{22}"$/);
    for (const ifMatch of [undefined, '*', ['"x"', tag]] as const) {
      expect(() => {
        assertMatches(ifMatch, resource);
      }).not.toThrow();
    }
    for (const other of [
      { ...resource, name: 'VIP' },
      { ...resource, at: new Date(1) },
    ]) {
      expect(() => {
        assertMatches([tag], other);
      }).toThrow('It has changed since you read it');
    }
    expect(() => {
      assertMatches([], resource);
    }).toThrow('It has changed');
  });
});
