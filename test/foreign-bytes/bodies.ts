/** What is repeated: separators, and beginnings of what a pattern looks for without its end. */
export const UNITS: readonly string[] = [
  ...'-._~ \t\n\r,;:/+*=&?%@#!|\'"`\\<>()[]{}0179eEzZ_'.split(''),
  '\0',
  '\u0085',
  '\u00a0',
  '\u2028',
  '\ufeff',
  '\ufffd',
  'я',
  'e\u0301',
  '\u0301\u0316',
  '😀',
  '\ud83d',
  '\udc00',
  'eyJ',
  'eyJ-',
  'eyJaaaaaa',
  'eyJaaaaaa.',
  'eyJaaaaaa.-',
  'eyJ.eyJ.',
  'bearer',
  'Bearer ',
  'Bearer\t\t',
  'Bearer Bearer',
  'Bearer eyJ',
  '7999123456',
  '7999123456-',
  '7 (999) 123-45-6 ',
  '8-9-9-9-1-2-3-4-5-6-',
  '999 ',
  '9(',
  '+7',
  '<a',
  '<<',
  '<a>',
  '&lt;',
  'Mon, ',
  'Thu, 01 Oct ',
  '1.',
  '-1',
  '1e',
  'HTTP/1.1 100 ',
  'HTTP/1.1 100 Continue\r\n\r\n',
  '\r\n',
  '%00',
  '%F0%9F',
  '%',
  'a=',
  'a=b&',
  '\\u0000',
  '\\"',
  '"a":',
  'a@',
  '@a.',
  'xn--',
  'xn--a.',
  'a.',
  'Europe/',
];

/** Nested ones, opened and never closed, and closed. */
export const NESTED: readonly [open: string, close: string][] = [
  ['[', ']'],
  ['{"":', '}'],
  ['{"a":', '}'],
  ['[[],', ']'],
  ['{"code":', '}'],
  ['<a ', '>'],
  ['(', ')'],
  ['(a', ' '],
];

export function repeated(unit: string): (size: number) => string {
  return (size) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
}

/** A run by itself, and one that ends in what no pattern wants. */
export function around(unit: string): ((size: number) => string)[] {
  const run = repeated(unit);
  return [run, (size) => `x${run(size - 2)}x`];
}

export function nested([open, close]: readonly [string, string]): ((size: number) => string)[] {
  const depth = (size: number, length: number) => Math.floor(size / length);
  return [
    repeated(open),
    (size) => {
      const levels = depth(size, open.length + close.length);
      return `${open.repeat(levels)}0${close.repeat(levels)}`;
    },
  ];
}
