import { poolOf } from '@app/database';
import {
  type ApiCaller,
  createTestDatabase,
  FaultProxy,
  newPhone,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';

/** Every kind of route that needs the database. */
const ROUTES: [string, string, unknown?][] = [
  ['GET', '/clients'],
  ['GET', '/clients/1'],
  ['POST', '/clients', { phone: '79261234567', tags: ['made on the fly'] }],
  ['PATCH', '/clients/1', { tags: [] }],
  ['DELETE', '/clients/1'],
  ['GET', '/tags'],
  ['GET', '/tokens'],
  ['GET', '/mailings/statistics'],
  ['GET', '/queues/api/queues'],
];
const FAST_MS = 2_000;

describe('while the database is away', () => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  let url: string;
  let api: RunningApi;
  let admin: ApiCaller;

  beforeAll(async () => {
    database = await createTestDatabase();
    const direct = new URL(database.url);
    proxy = await FaultProxy.start(Number(direct.port));
    direct.port = String(proxy.port);
    url = direct.toString();
    api = await startApi(url);
    ({ admin } = api);
  });
  afterAll(async () => {
    await api.process.stop();
    await proxy.close();
    await database.drop();
  });
  afterEach(async () => {
    await proxy.heal();
  });

  async function untilReady(caller = admin): Promise<void> {
    while ((await caller.as(null).get('/health/ready')).status !== 200);
  }

  it('every route says 503 at once, and works again by itself when it is back', async () => {
    await proxy.refuse();
    for (const [method, path, body] of ROUTES) {
      const startedAt = performance.now();
      const answer = await admin.call(method, path, body);
      expect([path, answer.status]).toEqual([path, 503]);
      expect(answer.body).toMatchObject({ status: 503, title: 'Service Unavailable', errors: [] });
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(performance.now() - startedAt).toBeLessThan(FAST_MS);
    }
    expect((await admin.get('/health/live')).status).toBe(200);
    expect((await admin.get('/health/ready')).status).toBe(503);
    expect((await admin.get('/docs-json')).status).toBe(200);

    await proxy.heal();
    expect((await admin.post('/clients', { phone: newPhone() })).status).toBe(201);
    expect((await admin.get('/health/ready')).status).toBe(200);
  });

  it('a request that it loses in the middle is 503, too, and the pool heals', async () => {
    const session = await poolOf(database.dataSource).connect();
    await session.query('BEGIN; LOCK TABLE tags');
    const waiting = Promise.all(Array.from({ length: 8 }, () => admin.get('/tags')));
    while ((await sessionsWaiting()) < 8);
    await poolOf(database.dataSource).query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'api' AND datname = current_database()`,
    );
    expect((await waiting).map((answer) => answer.status)).toEqual(Array(8).fill(503));
    await session.query('ROLLBACK');
    session.release();
    expect((await admin.get('/tags')).status).toBe(200);
  });

  async function sessionsWaiting(): Promise<number> {
    const { rows } = await poolOf(database.dataSource).query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity
       WHERE application_name = 'api' AND wait_event_type = 'Lock' AND datname = current_database()`,
    );
    return rows[0]?.n ?? 0;
  }

  it('a server that takes connections and says nothing is given up in seconds', async () => {
    proxy.swallow();
    proxy.cut();
    const startedAt = performance.now();
    const answers = await Promise.all([admin.get('/tags'), admin.get('/clients')]);
    expect(answers.map((answer) => answer.status)).toEqual([503, 503]);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    await proxy.heal();
    proxy.cut();
    expect((await admin.get('/tags')).status).toBe(200);
  });

  it('connections that were lost without an error are noticed and replaced', async () => {
    await Promise.all(Array.from({ length: 8 }, () => admin.get('/tags')));
    expect(proxy.freeze()).toBeGreaterThan(0);
    const startedAt = performance.now();
    let status: number;
    do ({ status } = await admin.get('/tags'));
    while (status !== 200);
    expect(performance.now() - startedAt).toBeLessThan(25_000);
  }, 60_000);

  it('the process starts, says that it is not ready, and gets ready by itself', async () => {
    await proxy.refuse();
    const second = await startApi(url);
    try {
      expect((await second.admin.get('/health/live')).status).toBe(200);
      expect((await second.admin.get('/health/ready')).status).toBe(503);
      expect((await second.admin.get('/clients')).status).toBe(503);
      await proxy.heal();
      await untilReady(second.admin);
      expect((await second.admin.get('/clients')).status).toBe(200);
    } finally {
      expect(await second.process.stop()).toEqual({ code: 0, signal: null });
    }
  });

  it('the process ends in time on SIGTERM', async () => {
    const second = await startApi(url);
    await proxy.refuse();
    expect((await second.admin.get('/tags')).status).toBe(503);
    expect(await second.process.stop()).toEqual({ code: 0, signal: null });
  });
});
