import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import {
  type Answer,
  type ApiCaller,
  createTestDatabase,
  newPhone,
  type Problem,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';

const MAILING = { name: 'Sale', text: 'Half price', endAt: '2100-01-01T00:00:00Z' };
/** What every object has, and what a transformer takes for its own. */
const INHERITED = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'toLocaleString',
  'valueOf',
  'isPrototypeOf',
  'propertyIsEnumerable',
  '__defineGetter__',
  '__lookupSetter__',
];
const NOT_KNOWN = 'is not a known field';

let database: TestDatabase;
let api: RunningApi;
let admin: ApiCaller;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.url);
  ({ admin } = api);
  expect((await admin.post('/clients', { phone: newPhone(), tags: ['vip'] })).status).toBe(201);
  expect((await admin.post('/mailings', MAILING)).status).toBe(201);
});
afterAll(async () => {
  await api.process.stop();
  await database.drop();
});

const rowsOf = async (table: string) => {
  const [row] = await database.dataSource.query<{ n: number }[]>(
    `SELECT count(*)::int AS n FROM ${table}`,
  );
  return row?.n;
};
const pathsOf = ({ body }: Answer<Problem>) => body.errors.map((error) => error.path).sort();
const withKey = (body: object, key: string) =>
  JSON.stringify(body).replace(/^\{(?=(.?))/, (_, next) => `{"${key}":1${next === '}' ? '' : ','}`);

describe('a key that a body does not have', () => {
  const bodies: [string, string, object][] = [
    ['POST', '/clients', { phone: '79990000001' }],
    ['PUT', '/clients/1', { phone: '79990000001' }],
    ['PATCH', '/clients/1', {}],
    ['POST', '/tags', { name: 'a' }],
    ['PATCH', '/tags/1', { name: 'a' }],
    ['PUT', '/tags/1', { name: 'a' }],
    ['POST', '/mailings', MAILING],
    ['PUT', '/mailings/1', { ...MAILING, filter: {} }],
    ['PATCH', '/mailings/1', {}],
    ['POST', '/mailings/preview', MAILING],
    ['POST', '/tokens', { name: 'a', role: 'viewer' }],
    ['PUT', '/channels/notification/breaker', { state: 'closed' }],
    ['PUT', '/channels/notification/rate', { ratePerSecond: null }],
    ['PUT', '/channels/notification/token', { token: 'a' }],
    // These read no body at all.
    ['POST', '/mailings/1/pause', {}],
    ['POST', '/mailings/1/retry-failed', {}],
    ['DELETE', '/mailings/4711', {}],
  ];

  it.each(bodies)('is refused by name, whatever the name is: %s %s', async (method, path, body) => {
    for (const key of [...INHERITED, 'x']) {
      const answer = await admin.call(method, path, withKey(body, key));
      expect([key, answer.status, answer.body.errors]).toEqual([
        key,
        400,
        [{ path: key, message: NOT_KNOWN }],
      ]);
    }
  });

  it.each(['filter', 'window'])('is refused inside %s, so that nobody is mailed', async (field) => {
    const before = await rowsOf('mailings');
    const part = field === 'filter' ? {} : { from: '09:00', to: '21:00' };
    for (const key of INHERITED) {
      const body = JSON.stringify({ ...MAILING, [field]: 'PART' });
      const answer = await admin.post('/mailings', body.replace('"PART"', withKey(part, key)));
      expect([key, answer.status, pathsOf(answer)]).toEqual([key, 400, [`${field}.${key}`]]);
    }
    expect(await rowsOf('mailings')).toBe(before);
  });

  it.each(['/clients', '/tags', '/mailings', '/mailings/1', '/mailings/1/messages', '/tokens'])(
    'is refused in the query of %s',
    async (path) => {
      for (const key of INHERITED) {
        const answer = await admin.get(`${path}?${key}=1`);
        expect([key, answer.status, pathsOf(answer)]).toEqual([key, 400, [key]]);
      }
    },
  );
});

describe('a body that is much too large for what it says', () => {
  const fields = (n: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${i}`, 1])));
  const list = (n: number, item: string) => `[${Array.from({ length: n }, () => item).join(',')}]`;
  const deep = (n: number) => `{"filter":${'{"a":'.repeat(n)}1${'}'.repeat(n)}}`;

  it.each<[string, string, string, string[] | number]>([
    ['60,000 unknown fields', '/clients', fields(60_000), 100],
    ['60,000 unknown fields of a mailing', '/mailings', fields(60_000), 100],
    ['a list of 500,000 elements', '/clients', `{"tags":${list(500_000, '1')}}`, ['phone', 'tags']],
    ['a list where there is none', '/clients', `{"phone":${list(500_000, '1')}}`, ['phone']],
    [
      'lists of objects',
      '/mailings',
      `{"filter":{"tags":${list(1_000, '{"a":[{"b":[]}]}')}}}`,
      100,
    ],
    [
      'wrong elements, as many as may be',
      '/mailings',
      `{"filter":{"phones":${list(10_000, '"x"')}}}`,
      100,
    ],
    ['170,000 levels', '/mailings', deep(170_000), []],
    ['33 levels', '/mailings', deep(33), []],
  ])('is refused with few words and little work: %s', async (_, path, body, expected) => {
    const before = cpuSeconds();
    const headers = { 'idempotency-key': `k${body.length}` };
    const answers = await Promise.all([
      admin.post(path, body, headers),
      admin.get('/clients?limit=1'),
      admin.as(null).get('/health/live'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([400, 200, 200]);
    const [{ body: problem }] = answers;
    if (typeof expected === 'number') expect(problem.errors).toHaveLength(expected);
    else expect(pathsOf(answers[0])).toEqual(expected);
    expect(JSON.stringify(problem).length).toBeLessThan(20_000);
    // Two seconds and more before unknown keys and long lists were refused untransformed.
    expect(cpuSeconds() - before).toBeLessThan(0.6);
  });

  it('is refused by the limit of its route', async () => {
    const large = 'a'.repeat(65 * 1024);
    expect((await admin.post('/tags', { name: large })).status).toBe(413);
    expect((await admin.put('/channels/notification/token', { token: large })).status).toBe(413);
    expect((await admin.post('/mailings', { name: large })).status).toBe(400);
  });

  /** Of the api since its start. */
  function cpuSeconds(): number {
    const stat = readFileSync(`/proc/${api.process.pid}/stat`, 'utf8');
    const values = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(values[11]) + Number(values[12])) / 100;
  }
});

describe('bytes in another encoding', () => {
  async function send(body: Uint8Array, headers: Record<string, string> = {}) {
    const response = await fetch(`${admin.url}/mailings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', token: adminKey(), ...headers },
      body: new Uint8Array(body),
    });
    return { status: response.status, headers: response.headers };
  }
  const adminKey = () => 'test-admin-key-0123456789';
  const json = (text: string, encoding: BufferEncoding = 'utf8') =>
    Buffer.from(JSON.stringify({ ...MAILING, text }), encoding);

  it('are refused with 400 when they are not UTF-8, and nothing is stored', async () => {
    const before = await rowsOf('mailings');
    const windows1251 = Buffer.concat([
      Buffer.from('{"name":"a","endAt":"2100-01-01T00:00:00Z","text":"'),
      Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]), // "Привет"
      Buffer.from('"}'),
    ]);
    expect((await send(windows1251)).status).toBe(400);
    expect((await send(json('half price é', 'latin1'))).status).toBe(400);
    expect((await send(Buffer.from('\ufeff{}', 'utf16le'))).status).toBe(400);
    expect(await rowsOf('mailings')).toBe(before);
  });

  it.each(['windows-1251', 'iso-8859-1', 'utf-16', '"koi8-r"', 'x'])(
    'are refused with 415 when they are said to be %s',
    async (charset) => {
      const type = { 'content-type': `application/json; charset=${charset}` };
      expect((await send(json('a'), type)).status).toBe(415);
    },
  );

  it.each(['utf-8', 'UTF-8', '"utf-8"', 'utf8'])('are taken as %s', async (charset) => {
    const type = { 'content-type': `application/json; charset=${charset}` };
    expect((await send(json('Привет, 🎉'), type)).status).toBe(201);
  });

  it.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, identity'])(
    'are refused with 415 when they are compressed by %s',
    async (encoding) => {
      const answer = await send(gzipSync(json('a')), { 'content-encoding': encoding });
      expect(answer.status).toBe(415);
      expect(answer.headers.get('accept-encoding')).toBe('identity');
      expect((await send(json('a'), { 'content-encoding': 'identity' })).status).toBe(201);
    },
  );

  it('are refused in a query', async () => {
    const answer = await admin.get('/mailings?name=%CF%F0%E8');
    expect([answer.status, pathsOf(answer)]).toEqual([400, ['name']]);
  });
});
