import {
  type ApiCaller,
  createTestDatabase,
  type RunningApi,
  startApi,
  startProcess,
  TEST_ADMIN_KEY,
  type TestDatabase,
} from '@app/testkit';

interface Token {
  id: number;
  name: string;
  role: string;
  token: string;
  expiresAt: string | null;
  revokedAt: string | null;
}

describe('API keys', () => {
  let database: TestDatabase;
  let api: RunningApi;
  let admin: ApiCaller;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi(database.url);
    ({ admin } = api);
  });
  afterAll(async () => {
    await api.process.stop();
    await database.drop();
  });

  let names = 0;
  async function makeKey(role: string, expiresAt?: string): Promise<Token> {
    const { status, body } = await admin.post<Token>('/tokens', {
      name: `${role} ${++names}`,
      role,
      expiresAt,
    });
    expect(status).toBe(201);
    return body;
  }

  it.each([
    ['header token', { token: TEST_ADMIN_KEY }],
    ['Authorization: Bearer', { authorization: `Bearer ${TEST_ADMIN_KEY}` }],
    ['the scheme in any case', { authorization: `bearer ${TEST_ADMIN_KEY}` }],
  ])('are taken from %s', async (_, headers: Record<string, string>) => {
    expect((await admin.as(null).get('/tags', headers)).status).toBe(200);
  });

  it.each([
    ['no key', {}],
    ['an unknown key', { token: 'no-such-key-0123456789' }],
    ['an empty key', { token: '' }],
    ['another scheme', { authorization: `Basic ${btoa(`a:${TEST_ADMIN_KEY}`)}` }],
    ['a key of a megabyte', { authorization: `Bearer ${'a'.repeat(8_000)}` }],
  ])('are needed: %s is 401', async (_, headers: Record<string, string>) => {
    const { status, headers: answered, body } = await admin.as(null).get('/tags', headers);
    expect(status).toBe(401);
    expect(answered.get('www-authenticate')).toContain('Bearer');
    expect(answered.get('content-type')).toContain('application/problem+json');
    expect(body).toMatchObject({ status: 401, title: 'Unauthorized', errors: [] });
  });

  it('are asked for before the body is read', async () => {
    const { status } = await admin.as(null).post('/clients', '{ not json');
    expect(status).toBe(401);
  });

  it.each(['/docs', '/docs-json', '/redoc', '/health/live', '/health/ready', '/queues/login'])(
    'are not needed for %s',
    async (path) => {
      expect((await admin.as(null).get(path)).status).toBe(200);
    },
  );

  it('are needed for the metrics, which tell about the business', async () => {
    expect((await admin.as(null).get('/metrics')).status).toBe(401);
    const { status, body } = await admin.get<string>('/metrics');
    expect(status).toBe(200);
    expect(body).toMatch(
      /posthorn_http_request_duration_seconds_count\{method="GET",route="\/tags",status="200"\} \d/,
    );
  });

  it('let a viewer read, an operator also write the directory, an admin do everything', async () => {
    const viewer = admin.as((await makeKey('viewer')).token);
    const operator = admin.as((await makeKey('operator')).token);
    const tag = (name: string) => ({ name });
    const statuses = async (caller: ApiCaller) => [
      (await caller.get('/tags')).status,
      (await caller.post('/tags', tag(`tag ${++names}`))).status,
      (await caller.get('/tokens')).status,
      (await caller.post('/tokens', { name: `key ${++names}`, role: 'viewer' })).status,
    ];
    expect(await statuses(viewer)).toEqual([200, 403, 403, 403]);
    expect(await statuses(operator)).toEqual([200, 201, 403, 403]);
    expect(await statuses(admin)).toEqual([200, 201, 200, 201]);
  });

  it('name the missing role', async () => {
    const viewer = admin.as((await makeKey('viewer')).token);
    const { body, headers } = await viewer.delete('/tags/1');
    expect(body.detail).toContain('operator');
    expect(headers.get('www-authenticate')).toContain('insufficient_scope');
  });

  it('are shown once and stored only as a hash', async () => {
    const made = await makeKey('viewer');
    const list = await admin.get('/tokens');
    expect(JSON.stringify(list.body)).not.toContain(made.token);
    const stored: unknown = await database.dataSource.query('SELECT * FROM api_keys');
    expect(JSON.stringify(stored)).not.toContain(made.token);
    expect(api.process.logs.join()).not.toContain(made.token);
  });

  it('stop working at once when they are revoked, and stay in the list', async () => {
    const made = await makeKey('operator');
    const caller = admin.as(made.token);
    expect((await caller.get('/tags')).status).toBe(200);
    expect((await admin.delete(`/tokens/${made.id}`)).status).toBe(204);
    expect((await caller.get('/tags')).status).toBe(401);
    const list = await admin.get<{ items: Token[] }>('/tokens?limit=500');
    expect(list.body.items.find((key) => key.id === made.id)?.revokedAt).not.toBeNull();
  });

  it('stop working within seconds in another process when they are revoked', async () => {
    const other = await startApi(database.url);
    try {
      const made = await makeKey('viewer');
      const there = other.admin.as(made.token);
      expect((await there.get('/tags')).status).toBe(200);
      await admin.delete(`/tokens/${made.id}`);
      const revokedAt = performance.now();
      while ((await there.get('/tags')).status === 200) {
        expect(performance.now() - revokedAt).toBeLessThan(4_000);
      }
    } finally {
      await other.process.stop();
    }
  });

  it('stop working when they expire', async () => {
    const made = await makeKey('viewer', new Date(Date.now() + 1_500).toISOString());
    const caller = admin.as(made.token);
    expect((await caller.get('/tags')).status).toBe(200);
    const expiresAt = Date.parse(made.expiresAt ?? '');
    let status: number;
    do ({ status } = await caller.get('/tags'));
    while (status === 200 && Date.now() < expiresAt + 1_000);
    expect(status).toBe(401);
  });

  it.each([
    [{ role: 'viewer' }, ['name']],
    [{ name: '', role: 'king' }, ['name', 'role']],
    [{ name: 'a', role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' }, ['expiresAt']],
    [{ name: 'a', role: 'viewer', expiresAt: '2099-01-01T00:00:00' }, ['expiresAt']],
    [{ name: 'a', role: 'viewer', expiresAt: null, more: 1 }, ['more', 'expiresAt']],
  ])('are not made of %j, and every wrong field is named', async (body, paths) => {
    const before = await keysInDatabase();
    const answer = await admin.post('/tokens', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error) => error.path).sort()).toEqual([...paths].sort());
    expect(await keysInDatabase()).toBe(before);
  });

  it('have a name of their own', async () => {
    const made = await makeKey('viewer');
    const again = await admin.post('/tokens', { name: ` ${made.name}\n`, role: 'viewer' });
    expect(again.status).toBe(409);
    expect(again.body.errors.map((error) => error.path)).toEqual(['name']);
  });

  it('cannot be revoked when there is no such key', async () => {
    expect((await admin.delete('/tokens/2147483648')).status).toBe(404);
    expect((await admin.delete('/tokens/abc')).status).toBe(400);
  });

  it('cost no query of their own when they have just been checked', async () => {
    const caller = admin.as((await makeKey('viewer')).token);
    const session = database.dataSource.createQueryRunner();
    await session.startTransaction();
    try {
      await caller.get('/tags');
      await session.query('LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE');
      // A request for a key now waits for the end of our transaction.
      expect((await caller.get('/tags')).status).toBe(200);
      expect((await caller.get('/tags')).status).toBe(200);
    } finally {
      await session.rollbackTransaction();
      await session.release();
    }
  });

  it('of ADMIN_TOKEN replace the one of the last start', async () => {
    const next = 'another-admin-key-0123456789';
    const second = await startApi(database.url, { ADMIN_TOKEN: next });
    try {
      expect((await second.admin.as(next).get('/tokens')).status).toBe(200);
      expect((await second.admin.get('/tokens')).status).toBe(401);
    } finally {
      await second.process.stop();
      // Back to the key of the other tests.
      await (await startApi(database.url)).process.stop();
    }
  });

  it('of ADMIN_TOKEN stop when it is left out, and work again when it is back', async () => {
    const without = await startApi(database.url, { ADMIN_TOKEN: '' });
    try {
      expect((await without.admin.get('/tokens')).status).toBe(401);
      const line = await without.process.waitForLog((text) => text.includes('no API key'));
      expect(JSON.parse(line)).toMatchObject({ level: 'error' });
    } finally {
      await without.process.stop();
      const again = await startApi(database.url);
      expect((await again.admin.get('/tokens')).status).toBe(200);
      await again.process.stop();
    }
  });

  it('of ADMIN_TOKEN that were revoked by hand never come back', async () => {
    const own = await createTestDatabase();
    const [first, second] = ['first-admin-key-0123456789', 'second-admin-key-0123456789'];
    const start = (ADMIN_TOKEN: string) => startApi(own.url, { ADMIN_TOKEN });
    const statusOf = async (api: RunningApi, key: string) =>
      (await api.admin.as(key).get('/tokens')).status;
    try {
      const one = await start(first);
      const caller = one.admin.as(first);
      const { items } = (await caller.get<{ items: { id: number }[] }>('/tokens')).body;
      expect((await caller.delete(`/tokens/${items[0]?.id ?? 0}`)).status).toBe(204);
      await one.process.stop();

      const two = await start(second);
      expect([await statusOf(two, first), await statusOf(two, second)]).toEqual([401, 200]);
      await two.process.stop();

      const three = await start(first);
      expect([await statusOf(three, first), await statusOf(three, second)]).toEqual([401, 401]);
      await three.process.waitForLog((text) => text.includes('was revoked'));
      await three.process.stop();

      const four = await start(second);
      expect([await statusOf(four, first), await statusOf(four, second)]).toEqual([401, 200]);
      await four.process.stop();
    } finally {
      await own.drop();
    }
  });

  it.each([
    ['change-me-before-anyone-else-does', 'is a placeholder'],
    ['aaaaaaaaaaaaaaaaaaaaaaaa', 'is a placeholder'],
  ])('are not taken from the placeholder %s', async (key, words) => {
    const settings = { DATABASE_URL: database.url, ADMIN_TOKEN: key, ENCRYPTION_KEY: key };
    const start = startProcess('api', settings);
    await expect(start).rejects.toThrow(new RegExp(`ADMIN_TOKEN: ${words}`));
    await expect(start).rejects.toThrow(new RegExp(`ENCRYPTION_KEY: ${words}`));
  });

  it('are not taken from a setting that is too short: the process does not start', async () => {
    const start = startProcess('api', { DATABASE_URL: database.url, ADMIN_TOKEN: 'short' });
    await expect(start).rejects.toThrow(/status 1[\s\S]*ADMIN_TOKEN: must have at least 16/);
  });

  async function keysInDatabase(): Promise<number> {
    const [row] = await database.dataSource.query<{ n: number }[]>(
      'SELECT count(*)::int AS n FROM api_keys',
    );
    return row?.n ?? 0;
  }
});
