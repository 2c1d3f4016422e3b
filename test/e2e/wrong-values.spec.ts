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

const MAILING = { name: 'Sale', text: 'Half price', filter: {}, endAt: '2100-01-01T00:00:00Z' };

let database: TestDatabase;
let api: RunningApi;
let admin: ApiCaller;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.url);
  ({ admin } = api);
  expect((await admin.post('/clients', { phone: newPhone() })).status).toBe(201);
  expect((await admin.post('/mailings', MAILING)).status).toBe(201);
});
afterAll(async () => {
  await api.process.stop();
  await database.drop();
});

const pathsOf = ({ body }: Answer<Problem>) => body.errors.map((error) => error.path).sort();

describe('a moment that no mailing can have', () => {
  const BOUNDS = 'must lie between 2000-01-01 and 2199-12-31 UTC';

  it.each([
    ['startAt', '0001-01-01T00:00:00+03:00'],
    ['startAt', '0000-06-01T00:00:00Z'],
    ['startAt', '1999-12-31T23:59:59.999Z'],
    ['startAt', '2000-01-01T00:00:00+03:00'],
    ['endAt', '9999-12-31T23:59:59-03:00'],
    ['endAt', '2200-01-01T00:00:00Z'],
    ['endAt', '2199-12-31T23:59:59-03:00'],
  ])('is refused with the bounds on every route: %s %s', async (field, moment) => {
    const body = { ...MAILING, [field]: moment };
    const answers = [
      await admin.post('/mailings', body),
      await admin.post('/mailings/preview', body),
      await admin.put('/mailings/1', body),
      await admin.patch('/mailings/1', { [field]: moment }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toContainEqual({ path: field, message: BOUNDS });
    }
  });

  it('is refused for a key', async () => {
    for (const expiresAt of [
      '2030-W10-1T00:00:00Z',
      '2200-01-01T00:00:00Z',
      '2030-001T00:00:00Z',
    ]) {
      const answer = await admin.post('/tokens', { name: 'k', role: 'viewer', expiresAt });
      expect([expiresAt, answer.status, pathsOf(answer)]).toEqual([expiresAt, 400, ['expiresAt']]);
    }
  });

  it('is refused when it is in the past, with 400 on every route', async () => {
    const body = { ...MAILING, startAt: '2001-01-01T00:00:00Z', endAt: '2002-01-01T00:00:00Z' };
    for (const answer of [
      await admin.post('/mailings', body),
      await admin.post('/mailings/preview', body),
      await admin.put('/mailings/1', body),
      await admin.patch('/mailings/1', { endAt: body.endAt }),
    ]) {
      expect([answer.status, pathsOf(answer)]).toEqual([400, ['endAt']]);
    }
  });
});

describe('the words of a refusal', () => {
  it('say what is required, once', async () => {
    const answer = await admin.post('/mailings', {
      filter: { tags: [3] },
      window: { to: '24:00' },
    });
    expect(answer.body.errors.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'endAt', message: 'is required' },
      { path: 'filter.tags[0]', message: 'must be a string' },
      { path: 'text', message: 'is required' },
      { path: 'window.from', message: 'is required' },
      {
        path: 'window.to',
        message: 'must be a time of day from 00:00 to 23:59: midnight is 00:00',
      },
    ]);
  });

  it('say of a value of the wrong type that it has the wrong type', async () => {
    const answer = await admin.post('/clients', { phone: 79_990_000_001, tags: 'a', timezone: {} });
    expect(answer.body.errors.map(({ message }) => message).sort()).toEqual([
      'must be a string',
      'must be an array',
      'must be one value, not an object',
    ]);
  });
});

describe('a cursor', () => {
  it('works for the list that gave it only', async () => {
    await admin.post('/clients', { phone: newPhone() });
    const page = await admin.get<{ nextCursor: string }>('/clients?limit=1');
    const cursor = page.body.nextCursor;
    expect((await admin.get(`/clients?cursor=${cursor}`)).status).toBe(200);
    for (const path of ['/tags', '/mailings', '/mailings/statistics', '/tokens', '/reports']) {
      const answer = await admin.get(`${path}?cursor=${cursor}`);
      expect([path, answer.status, pathsOf(answer)]).toEqual([path, 400, ['cursor']]);
    }
  });

  it.each(['tokens', 'clients', 'tags', 'mailings', 'reports', 'statistics'])(
    'that names the end of all numbers reads on from there: %s',
    async (list) => {
      const path = list === 'statistics' ? '/mailings/statistics' : `/${list}`;
      for (const key of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
        const cursor = Buffer.from(JSON.stringify([list, key])).toString('base64url');
        expect((await admin.get(`${path}?cursor=${cursor}`)).status).toBe(200);
      }
    },
  );

  it('of an older version is refused', async () => {
    expect((await admin.get('/tokens?cursor=WzkwMDcxOTkyNTQ3NDA5OTFd')).status).toBe(400);
  });
});

describe('the sign-in of the queue inspector', () => {
  it.each(['{"key":{"a":1}}', '{"key":["a"]}', '{"key":5}', '"a"', '[]', 'null', '{"key":""}'])(
    'takes %s for a wrong key',
    async (body) => {
      expect((await admin.as(null).post('/queues/login', body)).status).toBe(401);
    },
  );
});
