import {
  type ApiCaller,
  createTestDatabase,
  newPhone,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';

interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { example?: unknown }> };
}
type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** What no field of ours wants, and the edges of what some take. As JSON text: not all have a value. */
const VALUES = [
  'null true false 0 -0 -1 0.1 1e400 -1e400 1e-320 2147483648 9007199254740993 1e21 {} [] [null]',
  '[[]] [{}] {"a":1} {"length":3} {"constructor":1} {"toString":1} "" " " "0" "-1" "1e3" "null"',
  '"\\u0000" "\\ud800" "\\u200b" "\\u202e" "%" "\'" "\\\\" "%00" "NaN" "Infinity" "+03:00" "UTC"',
  '"2030-W10-1T00:00:00Z" "0000-01-01T00:00:00Z" "+275760-09-13T00:00:00Z" "2030-02-30T00:00:00Z"',
  '"2199-12-31T23:59:60Z" "2030-01-01T24:00:00Z" "2030-01-01T00:00:00.999999999+18:00" "24:00"',
  '"2030-01-01T00:00:00+23:59" "-271821-04-20T00:00:00Z" "a@b" "a@b.c" "@" "client" "Etc/GMT+99"',
]
  .flatMap((line) => line.split(' '))
  .concat([
    '"' + 'a'.repeat(5_000) + '"',
    `[${'0,'.repeat(20_000)}0]`,
    '"' + '🎉'.repeat(2_100) + '"',
  ]);
const PATHS =
  "0 -1 1e3 0x1 1.5 2147483647 2147483648 9007199254740991 9007199254740992 99999999999999999999 %00 %FF %20 ' NaN null constructor __proto__ 0000-01-01 0001-01-01 9999-12-31 2024-02-30 -000001-01-01".split(
    ' ',
  );
const QUERIES =
  "0 -1 1e3 %20 %00 %FF %zz %F0%9F%8E%89 %25 ' \\ NaN null [] WzkwMDcxOTkyNTQ3NDA5OTFd W10 bnVsbA e30 Ww".split(
    ' ',
  );

describe('whatever a caller sends', () => {
  let database: TestDatabase;
  let api: RunningApi;
  let admin: ApiCaller;
  let operations: { method: string; path: string; operation: Operation }[];

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi(database.url, { ENCRYPTION_KEY: 'a key for what is kept secret' });
    ({ admin } = api);
    await admin.post('/clients', { phone: newPhone(), tags: ['vip'] });
    await admin.post('/mailings', {
      name: 'Sale',
      text: 'Half price',
      startAt: '2100-01-01T00:00:00Z',
      endAt: '2101-01-01T00:00:00Z',
    });
    const { body } = await admin.get<{ paths: Record<string, Record<string, Operation>> }>(
      '/docs-json',
    );
    operations = Object.entries(body.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
      })),
    );
    expect(operations.length).toBeGreaterThan(30);
  });
  afterAll(async () => {
    await api.process.stop();
    await database.drop();
  });

  interface Sent {
    method: string;
    path: string;
    body?: string;
    headers?: Record<string, string>;
  }

  /** Each that is answered with a 5xx. */
  async function faultsOf(requests: Sent[]): Promise<string[]> {
    const faults: string[] = [];
    const waiting = requests.values();
    const send = async () => {
      for (const { method, path, body, headers } of waiting) {
        const { status } = await admin.call(method, path, body, headers);
        if (status >= 500) faults.push(`${status} ${method} ${path} ${body?.slice(0, 200) ?? ''}`);
      }
    };
    await Promise.all(Array.from({ length: 6 }, send));
    return faults;
  }

  /** The first of each kind, which is there; keys and channels by a name that harms nothing. */
  const filled = (path: string) =>
    path
      .replace('/tokens/{id}', '/tokens/4711')
      .replace('{name}', 'notification')
      .replace('{date}', '2026-01-02')
      .replaceAll(/\{\w+\}/g, '1');

  it('a path is never our fault', async () => {
    const requests = operations.flatMap(({ method, path, operation }) =>
      path.includes('{')
        ? PATHS.map((value) => ({
            method,
            path: path.replaceAll(/\{\w+\}/g, value),
            ...(operation.requestBody && { body: JSON.stringify(exampleOf(operation)) }),
          }))
        : [],
    );
    expect(await faultsOf(requests)).toEqual([]);
  });

  it('a query is never our fault', async () => {
    const requests = operations.flatMap(({ method, path, operation }) =>
      (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'query')
        .flatMap(({ name }) => [
          ...QUERIES.map((value) => ({ method, path: `${filled(path)}?${name}=${value}` })),
          { method, path: `${filled(path)}?${name}=1&${name}=2` },
          { method, path: `${filled(path)}?${name}[a]=1&${name}` },
        ]),
    );
    expect(requests.length).toBeGreaterThan(200);
    expect(await faultsOf(requests)).toEqual([]);
  });

  it('a field of a body is never our fault', async () => {
    const requests = operations
      .filter(({ operation }) => operation.requestBody)
      .flatMap(({ method, path, operation }) =>
        replacements(exampleOf(operation)).map((body) => ({ method, path: filled(path), body })),
      );
    expect(requests.length).toBeGreaterThan(2_000);
    expect(await faultsOf(requests)).toEqual([]);
  }, 120_000);

  it('a body as a whole, and its headers, are never our fault', async () => {
    const bodies = [
      ...VALUES,
      '',
      ' ',
      '{',
      '[',
      '{"a"',
      '"',
      '\u0000',
      '\ufeff{}',
      '{"":1}',
      '{} {}',
    ];
    const headers = [
      { 'idempotency-key': '' },
      { 'idempotency-key': 'a'.repeat(256) },
      { 'idempotency-key': 'é' },
      { 'content-type': 'application/json;;;charset' },
      { 'content-type': 'application/json; charset=' },
      { 'content-type': 'multipart/form-data; boundary=a' },
      { 'content-type': 'a' },
      { 'content-encoding': 'gzip' },
      { 'content-encoding': '' },
      { authorization: 'Basic a' },
      { accept: 'text/html, */*;q=0' },
      { 'if-match': '"' },
      { 'if-match': 'W/"1", *' },
      { 'if-none-match': '\\' },
      { range: 'bytes=-1' },
      { expect: 'nothing' },
    ];
    const writes = operations.filter(({ method }) => method !== 'GET');
    const requests = writes.flatMap(({ method, path }) => [
      ...bodies.map((body) => ({ method, path: filled(path), body })),
      ...headers
        .filter((header) => !('expect' in header))
        .map((header) => ({ method, path: filled(path), body: '{}', headers: header })),
    ]);
    expect(await faultsOf(requests)).toEqual([]);
  }, 120_000);
});

function exampleOf({ requestBody }: Operation): Json {
  return (Object.values(requestBody?.content ?? {})[0]?.example ?? {}) as Json;
}

/** The body, as text, with each of its values replaced by each of `VALUES`. */
function replacements(body: Json): string[] {
  const marked: string[] = [];
  const visit = (value: Json, put: (replaced: Json) => Json) => {
    marked.push(JSON.stringify(put('\u0001')));
    if (typeof value !== 'object' || value === null) return;
    for (const [name, item] of Object.entries(value)) {
      visit(item, (replaced) =>
        put(
          Array.isArray(value)
            ? value.map((other, at) => (String(at) === name ? replaced : other))
            : { ...value, [name]: replaced },
        ),
      );
    }
  };
  visit(body, (replaced) => replaced);
  return marked.flatMap((text) => VALUES.map((value) => text.replace('"\\u0001"', () => value)));
}
