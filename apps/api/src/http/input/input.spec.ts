import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsString, ValidateNested } from 'class-validator';
import { canonicalJson } from '../idempotency/canonical-json.js';
import { MayBeMissing } from '../fields/optional.js';
import { MAX_DEPTH, parseJsonBody } from '../body/json-body.js';
import { fieldsOf, shapeOf } from './known-fields.js';
import { urlFaults } from '../routing/url-text.js';

class Inner {
  @IsString()
  text: string;
}

class Outer {
  @MayBeMissing()
  @IsString()
  name?: string;

  @MayBeMissing()
  @IsArray()
  @ArrayMaxSize(3)
  @ValidateNested({ each: true })
  @Type(() => Inner)
  parts?: Inner[];
}

const bytes = (text: string) => Buffer.from(text);
const errorsOf = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    const { code, errors } = error as { code: string; errors: { path: string }[] };
    return [code, ...errors.map(({ path }) => path)];
  }
  return null;
};

describe('a JSON body', () => {
  it('is read as UTF-8, with or without a byte order mark', () => {
    expect(parseJsonBody(bytes('\ufeff{"a":"Привет 🎉"}'))).toEqual({ a: 'Привет 🎉' });
    expect(parseJsonBody(bytes(''))).toBeUndefined();
    expect(errorsOf(() => parseJsonBody(Buffer.from([0x22, 0xcf, 0xf0, 0x22])))).toEqual([
      'invalid',
    ]);
  });

  it('has a depth that is counted outside of its texts', () => {
    const deep = (n: number) => '['.repeat(n) + ']'.repeat(n);
    expect(parseJsonBody(bytes(deep(MAX_DEPTH)))).toBeDefined();
    expect(errorsOf(() => parseJsonBody(bytes(deep(MAX_DEPTH + 1))))).toEqual(['invalid']);
    const inText = JSON.stringify({ a: `\\"${'[{'.repeat(100)}`, b: '\\' });
    expect(parseJsonBody(bytes(inText))).toEqual(JSON.parse(inText));
    expect(parseJsonBody(bytes(`[${'[],'.repeat(100)}[]]`))).toHaveLength(101);
  });

  it('names what cannot be stored, in texts and in names, wherever it is', () => {
    const body = '{"a":[{"b":"\\u0000"},"ok","\\ud800"],"c\\u0000":1,"d":{"__proto__":{}}}';
    expect(errorsOf(() => parseJsonBody(bytes(body)))).toEqual([
      'invalid',
      'c\0',
      'a[2]',
      'd.__proto__',
      'a[0].b',
    ]);
  });
});

describe('a field that is there twice', () => {
  it.each([
    ['{"filter":{"tags":["vip"]},"filter":{}}', ['filter']],
    ['{"a":1,"\\u0061":2}', ['a']],
    ['[{"a":[1,{"b":"x, \\" }","b":2}]},{"c":[],"c":{}}]', ['[0].a[1].b', '[1].c']],
    ['{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}],"c":"{\\"a\\":1,\\"a\\":2}"}', null],
  ])('is refused by its place, for only the last would count: %s', (body, paths) => {
    const refusal = errorsOf(() => parseJsonBody(bytes(body)));
    expect(refusal).toEqual(paths && ['invalid', ...paths]);
  });
});

describe('the known fields of a body', () => {
  it('are those that its DTO has rules for, in objects and in lists of objects', () => {
    const body = JSON.parse(
      '{"name":"a","constructor":1,"parts":[{"text":"b","valueOf":2},3,{"text":{"a":1}}]}',
    ) as object;
    const { errors, kept } = shapeOf(Outer, body);
    expect(errors.map(({ path }) => path)).toEqual([
      'constructor',
      'parts[0].valueOf',
      'parts[2].text',
    ]);
    expect(kept).toEqual({ name: 'a', parts: [{ text: 'b' }, 3, {}] });
    expect(Object.keys(kept)).toEqual(['name', 'parts']);
  });

  it('take a list only where there is one, and only as long as it may be', () => {
    const errorsAt = (body: object) => shapeOf(Outer, body).errors;
    expect(errorsAt({ name: ['a'] })).toMatchObject([{ path: 'name' }]);
    expect(errorsAt({ parts: {} })).toMatchObject([{ path: 'parts' }]);
    expect(errorsAt({ parts: [[], {}, {}] })).toMatchObject([{ path: 'parts[0]' }]);
    expect(errorsAt({ parts: [1, 2, 3, 4] })).toEqual([
      { path: 'parts', message: 'must have at most 3 elements' },
    ]);
  });

  it('have a bound on every list, in every DTO', async () => {
    const files = globSync('apps/api/src/**/*.dto.ts');
    expect(files.length).toBeGreaterThan(5);
    let lists = 0;
    for (const file of files) {
      const exported = (await import(resolve(file))) as Record<string, unknown>;
      for (const dto of Object.values(exported)) {
        if (typeof dto !== 'function') continue;
        for (const [name, { isList, maxElements }] of fieldsOf(dto as new () => object)) {
          if (!isList) continue;
          lists++;
          expect([file, name, maxElements > 0]).toEqual([file, name, true]);
        }
      }
    }
    expect(lists).toBeGreaterThan(3);
  });
});

describe('the canonical form of a body', () => {
  it('does not know the order of fields, and knows that of lists', () => {
    const one = { b: [{ y: 1, x: 2 }], a: 'a', 10: 1, 9: 2 };
    expect(canonicalJson(one)).toBe(canonicalJson({ 9: 2, a: 'a', 10: 1, b: [{ x: 2, y: 1 }] }));
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });
});

describe('work on what a caller chose', () => {
  const many = (n: number, item: (at: number) => string) =>
    Array.from({ length: n }, (_, at) => item(at)).join(',');
  const object = (n: number) => `{${many(n, (at) => `"f${at}":${at}`)}}`;
  const value = (text: string) => JSON.parse(text) as object;

  it.each<[string, (n: number) => () => unknown]>([
    ['brackets', (n) => attempt('['.repeat(10 * n))],
    ['quotes and backslashes', (n) => attempt('"\\'.repeat(5 * n))],
    ['lists in a list', (n) => attempt(`[${many(2 * n, () => '[]')}]`)],
    ['the same field', (n) => attempt(`{${many(n, () => '"a":1')}}`)],
    ['two fields again and again', (n) => attempt(`[${many(n, () => '{"a":1,"a":1}')}]`)],
    ['fields', (n) => attempt(object(n))],
    ['NUL characters', (n) => attempt(`[${many(n, () => '"\\u0000"')}]`)],
    ['half pairs', (n) => attempt(`"${'\\ud800'.repeat(n)}"`)],
    ['long names', (n) => attempt(`{"${'a'.repeat(20 * n)}":"\\u0000"}`)],
    [
      'unknown fields',
      (n) => {
        const body = value(object(n));
        return () => shapeOf(Outer, body);
      },
    ],
    [
      'canonical form',
      (n) => {
        const body = value(object(n));
        return () => canonicalJson(body);
      },
    ],
    [
      'a query',
      (n) => {
        const url = `/a?${'a=%FF&'.repeat(n)}`;
        return () => urlFaults(url);
      },
    ],
  ])('grows with its size and no faster: %s', (_, make) => {
    const small = secondsOf(make(10_000));
    const large = secondsOf(make(40_000));
    // Four times as much; the square would be sixteen. A millisecond is below what can be told apart.
    expect(large / Math.max(small, 0.001)).toBeLessThan(10);
  });

  function attempt(text: string): () => unknown {
    const body = bytes(text);
    return () => errorsOf(() => parseJsonBody(body));
  }

  /** Of the processor, the least of several times. */
  function secondsOf(action: () => unknown): number {
    action();
    return Math.min(
      ...Array.from({ length: 5 }, () => {
        const before = process.cpuUsage();
        action();
        const { user, system } = process.cpuUsage(before);
        return (user + system) / 1e6;
      }),
    );
  }
});
