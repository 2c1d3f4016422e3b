import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { readQueuePrefix } from '@app/database';
import { type DeliveryQueue, DeliveryQueues, migrateQueue } from '@app/queue';
import {
  type ApiCaller,
  createTestDatabase,
  FaultProxy,
  freePort,
  isRedisInstalled,
  type RunningApi,
  type RunningRedis,
  startApi,
  startRedis,
  TEST_ADMIN_KEY,
  type TestDatabase,
} from '@app/testkit';

interface Board {
  queues: { name: string; isPaused: boolean; counts: Record<string, number> }[];
}

const COOKIE = 'posthorn_queues';
const QUEUE = 'notification';
/** The page, its files and the API under it: reading and writing. */
const GUARDED: [string, string][] = [
  ['GET', '/queues'],
  ['GET', '/queues/'],
  ['GET', `/queues/queue/${QUEUE}`],
  ['GET', '/queues/static/images/logo.svg'],
  ['GET', '/queues/api/queues'],
  ['GET', '/queues/api/redis/stats'],
  ['GET', `/queues/api/queues/${QUEUE}/1`],
  ['PUT', `/queues/api/queues/${QUEUE}/pause`],
  ['PUT', `/queues/api/queues/${QUEUE}/obliterate`],
  ['POST', `/queues/api/queues/${QUEUE}/add`],
];
const BACKENDS = ['postgres', ...(isRedisInstalled() ? ['redis'] : [])];

describe.each(BACKENDS)('the queue inspector on %s', (backend) => {
  let database: TestDatabase;
  let redis: RunningRedis | undefined;
  let folder: string | undefined;
  let proxy: FaultProxy;
  let api: RunningApi;
  let admin: ApiCaller;
  let anyone: ApiCaller;
  let queues: DeliveryQueues;
  let queue: DeliveryQueue;

  beforeAll(async () => {
    database = await createTestDatabase();
    let direct = database.url;
    if (backend === 'redis') {
      folder = mkdtempSync(join(tmpdir(), 'posthorn-inspector-'));
      redis = await startRedis({ port: await freePort(), directory: folder });
      direct = redis.url;
    }
    await migrateQueue(direct);
    const proxied = new URL(direct);
    proxy = await FaultProxy.start(Number(proxied.port));
    proxied.port = String(proxy.port);
    const prefix = await readQueuePrefix(database.pool);
    queues = new DeliveryQueues({ url: direct, prefix, logger: pino({ level: 'silent' }) });
    queue = queues.open(QUEUE);
    await queue.feed([{ messageId: 7, attempts: 0 }], Date.now());
    api = await startApi(database.url, { QUEUE_URL: proxied.toString() });
    ({ admin } = api);
    anyone = admin.as(null);
  });
  afterAll(async () => {
    await api.process.stop();
    await queues.close();
    await proxy.close();
    await redis?.stop();
    if (folder) rmSync(folder, { recursive: true });
    await database.drop();
  });

  const board = async () => (await admin.get<Board>('/queues/api/queues')).body.queues;
  const form = (body: string, cookie = '') =>
    anyone.call<string>('POST', '/queues/login', body, {
      'content-type': 'application/x-www-form-urlencoded',
      cookie,
    });
  /** Signs in and answers with the cookie, as a browser would send it. */
  async function signIn(key: string): Promise<string> {
    const { status, headers } = await form(`key=${encodeURIComponent(key)}`);
    expect([status, headers.get('location')]).toEqual([303, '/queues']);
    return (headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
  }
  let names = 0;
  async function makeKey(role: string) {
    const made = await admin.post<{ id: number; token: string }>('/tokens', {
      name: `key ${++names}`,
      role,
    });
    return made.body;
  }

  it.each(GUARDED)('does not answer to anybody: %s %s', async (method, path) => {
    const { status, headers } = await anyone.call(method, path);
    expect(status).toBe(401);
    expect(headers.get('content-type')).toContain('application/problem+json');
    const forged = await anyone.call(method, path, undefined, { cookie: `${COOKIE}=1.a.9.b.c` });
    expect(forged.status).toBe(401);
    const unknown = await anyone.as('an-unknown-key').call(method, path);
    expect(unknown.status).toBe(401);
  });

  it.each(['viewer', 'operator'])('does not answer to a key of the role %s', async (role) => {
    const caller = admin.as((await makeKey(role)).token);
    for (const [method, path] of GUARDED) {
      expect([path, (await caller.call(method, path)).status]).toEqual([path, 403]);
    }
  });

  it('was not touched by those who were refused', async () => {
    expect(await board()).toMatchObject([{ name: QUEUE, isPaused: false, counts: { waiting: 1 } }]);
  });

  it('shows an admin the page, its files and the jobs, which hold ids only', async () => {
    const page = await admin.get<string>('/queues');
    expect(page.status).toBe(200);
    expect(page.body).toContain('Posthorn queues');
    const files = [...page.body.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map((m) => m[1] ?? '');
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect([file, (await admin.get<string>(`/queues/${file}`)).status]).toEqual([file, 200]);
    }
    const path = `/queues/api/queues?activeQueue=${QUEUE}&status=waiting&page=1&jobsPerPage=10`;
    const { body } = await admin.get<{ queues: { jobs: { data: unknown }[] }[] }>(path);
    expect(body.queues[0]?.jobs.map((job) => job.data)).toEqual([{ messageId: 7 }]);
  });

  it('shows the lanes as they come and go', async () => {
    const added = Array.from({ length: 20 }, (_, n) => `lane ${n}`);
    await database.sql(
      `INSERT INTO lanes (name, channel) SELECT unnest($1::text[]), 'notification'`,
      [added],
    );
    const shown = async () => (await board()).map(({ name }) => name).sort();
    expect(await shown()).toEqual([...added, QUEUE].sort());
    await database.sql('DELETE FROM lanes WHERE name = ANY($1)', [added]);
    expect(await shown()).toEqual([QUEUE]);
  });

  it('lets nothing of the page come from elsewhere', async () => {
    const { headers } = await admin.get('/queues');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
  });

  it.each(['pause', 'empty', 'obliterate'])(
    'shows and changes nothing: sending is not stopped by %s',
    async (action) => {
      expect((await admin.put(`/queues/api/queues/${QUEUE}/${action}`)).status).toBe(405);
      expect(await board()).toMatchObject([{ isPaused: false, counts: { waiting: 1 } }]);
    },
  );

  it('cannot pause all queues at once either', async () => {
    await admin.put('/queues/api/queues/pause');
    expect(await board()).toMatchObject([{ isPaused: false }]);
  });

  it('sends a browser to the form', async () => {
    const accept = { accept: 'text/html,application/xhtml+xml' };
    const { status, headers } = await anyone.get('/queues', accept);
    expect([status, headers.get('location')]).toEqual([303, '/queues/login']);
    const page = await anyone.get<string>('/queues/login');
    expect(page.status).toBe(200);
    expect(page.body).toContain('<form method="post" action="/queues/login">');
  });

  it.each([
    ['no key', '', 401],
    ['an unknown key', 'key=no-such-key-0123456789', 401],
    ['a key of a megabyte', `key=${'a'.repeat(1_000_000)}`, 413],
  ])('does not sign in with %s', async (_, body, expected) => {
    const { status, headers } = await form(body);
    expect(status).toBe(expected);
    expect(headers.get('set-cookie')).toBeNull();
  });

  it('does not sign in an operator', async () => {
    const { status, headers } = await form(`key=${(await makeKey('operator')).token}`);
    expect(status).toBe(403);
    expect(headers.get('set-cookie')).toBeNull();
  });

  it('signs in with a cookie that scripts and other sites do not get, and that is not the key', async () => {
    const { headers } = await form(`key=${TEST_ADMIN_KEY}`);
    const cookie = headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Strict/);
    expect(cookie).toMatch(/; Path=\/queues(;|$)/);
    expect(cookie).toMatch(/; Max-Age=28800/);
    expect(cookie).not.toContain(TEST_ADMIN_KEY);
  });

  it('knows who has signed in, on the page and in its API, and nowhere else', async () => {
    const cookie = await signIn(TEST_ADMIN_KEY);
    for (const path of ['/queues', '/queues/api/queues', '/queues/static/images/logo.svg']) {
      expect([path, (await anyone.get(path, { cookie })).status]).toEqual([path, 200]);
    }
    expect((await anyone.get('/tokens', { cookie })).status).toBe(401);
  });

  it('does not take a cookie that somebody has changed', async () => {
    const cookie = await signIn((await makeKey('admin')).token);
    const [id = '', ...rest] = cookie.replace(`${COOKIE}=`, '').split('.');
    const parts = [id, ...rest];
    for (let part = 0; part < parts.length; part++) {
      const changed = parts.map((text, at) => (at === part ? `${text}1` : text)).join('.');
      const answer = await anyone.get('/queues/api/queues', { cookie: `${COOKIE}=${changed}` });
      expect([changed, answer.status]).toEqual([changed, 401]);
    }
    expect((await anyone.get('/queues/api/queues', { cookie })).status).toBe(200);
  });

  it('forgets who signs out', async () => {
    const cookie = await signIn(TEST_ADMIN_KEY);
    const out = await anyone.get('/queues/logout', { cookie });
    expect([out.status, out.headers.get('location')]).toEqual([303, '/queues/login']);
    expect((await anyone.get('/queues/api/queues', { cookie })).status).toBe(401);
  });

  it('forgets whose key is revoked', async () => {
    const { id, token } = await makeKey('admin');
    const cookie = await signIn(token);
    expect((await anyone.get('/queues/api/queues', { cookie })).status).toBe(200);
    await admin.delete(`/tokens/${id}`);
    expect((await anyone.get('/queues/api/queues', { cookie })).status).toBe(401);
  });

  it('says 503 in seconds while the queue is down; nothing else minds, and it comes back', async () => {
    expect((await admin.get('/queues')).status).toBe(200);
    const refuse = () => proxy.refuse();
    const swallow = () => {
      proxy.swallow();
      if (backend === 'postgres') proxy.cut();
      return Promise.resolve();
    };
    for (const cause of [refuse, swallow]) {
      await cause();
      const startedAt = performance.now();
      for (const path of ['/queues', '/queues/api/queues']) {
        const answer = await admin.get(path);
        expect([path, answer.status]).toEqual([path, 503]);
        expect(answer.body.title).toBe('Service Unavailable');
      }
      expect(performance.now() - startedAt).toBeLessThan(8_000);
      const before = performance.now();
      expect((await admin.get('/clients')).status).toBe(200);
      expect((await admin.get('/health/ready')).status).toBe(200);
      expect(performance.now() - before).toBeLessThan(2_000);
      await proxy.heal();
      proxy.cut();
      while ((await admin.get('/queues/api/queues')).status !== 200);
    }
    expect(await board()).toMatchObject([{ name: QUEUE }]);
  }, 60_000);

  it('does not keep the API from starting or ending while the queue is down', async () => {
    await proxy.refuse();
    const second = await startApi(database.url, {
      QUEUE_URL: `${backend}://127.0.0.1:${proxy.port}/x`,
    });
    try {
      expect((await second.admin.get('/queues/api/queues')).status).toBe(503);
      expect((await second.admin.get('/clients')).status).toBe(200);
    } finally {
      expect(await second.process.stop()).toEqual({ code: 0, signal: null });
      await proxy.heal();
    }
  });
});
