import {
  addMessages,
  type Answer,
  type ApiCaller,
  createTestDatabase,
  newPhone,
  type Problem,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';
import { inMinutes, newMailing } from './mailings-fixture.js';

type Resource = Record<string, unknown> & { id: number };

describe('a resource that is read, changed and sent back', () => {
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

  const call = (method: string, path: string, body?: unknown, ifMatch?: string) =>
    admin.call<Problem & Resource>(
      method,
      path,
      body,
      ifMatch === undefined ? {} : { 'if-match': ifMatch },
    );
  const tagOf = ({ headers }: Answer<unknown>) => headers.get('etag') ?? '';

  /** Each with a change that PATCH takes, and fields that nobody can write. */
  const kinds = [
    {
      kind: 'clients',
      make: () => ({ phone: newPhone(), tags: ['b', '\u{1F451}', '\uFF5E', 'a'], timezone: 'UTC' }),
      change: () => ({ phone: newPhone() }),
      readOnly: { id: 4711 },
    },
    {
      kind: 'tags',
      make: () => ({ name: `tag ${newPhone()}` }),
      change: () => ({ name: `tag ${newPhone()}` }),
      readOnly: { id: 4711 },
    },
    {
      kind: 'mailings',
      make: () =>
        newMailing({
          startAt: inMinutes(30),
          filter: { tags: ['vip'], phones: [newPhone()] },
          window: { from: '09:00', to: '18:00', timezone: 'asia/calcutta' },
          ratePerSecond: 0.5,
          reportTo: ['Team@Example.COM'],
        }),
      change: () => ({ text: `text ${newPhone()}` }),
      readOnly: {
        id: 4711,
        textVersion: 9,
        status: 'completed',
        endedAt: '2030-01-01T00:00:00.000Z',
        finishedAt: '2030-01-01T00:00:00.000Z',
        createdAt: '2030-01-01T00:00:00.000Z',
        updatedAt: null,
      },
    },
  ];

  describe.each(kinds)('of $kind', ({ kind, make, change, readOnly }) => {
    async function create() {
      const made = await call('POST', `/${kind}`, make());
      expect(made.status).toBe(201);
      return { path: `/${kind}/${made.body.id}`, made };
    }

    it('is the same after a PUT of what was read', async () => {
      const { path, made } = await create();
      const read = await call('GET', path);
      expect(read.body).toEqual(made.body);
      const put = await call('PUT', path, read.body);
      expect([put.status, put.body]).toEqual([200, read.body]);
      expect((await call('GET', path)).body).toEqual(read.body);
    });

    it('is not changed by another value of what is read-only, and the value is named', async () => {
      const { path, made } = await create();
      for (const [name, value] of Object.entries<unknown>(readOnly)) {
        const refused = await call('PUT', path, { ...made.body, ...change(), [name]: value });
        expect(refused.status).toBe(400);
        expect(refused.body.errors).toEqual([
          { path: name, message: expect.stringContaining('is read-only, and is ') as string },
        ]);
      }
      expect((await call('GET', path)).body).toEqual(made.body);
    });

    it('has one ETag in every answer, until it changes', async () => {
      const { path, made } = await create();
      const read = await call('GET', path);
      expect(tagOf(read)).toMatch(/^"[\w-]{22}"$/);
      for (const answer of [
        made,
        await call('GET', path),
        await call('HEAD', path),
        await call('PUT', path, made.body),
        await call('PATCH', path, kind === 'tags' ? { name: made.body.name } : {}),
      ]) {
        expect(tagOf(answer)).toBe(tagOf(read));
      }
      const changed = await call('PATCH', path, change());
      expect(tagOf(changed)).not.toBe(tagOf(read));
      expect(tagOf(await call('GET', path))).toBe(tagOf(changed));
    });

    it('is not changed by somebody who has not seen the last change', async () => {
      const { path, made } = await create();
      const old = tagOf(made);
      const changed = await call('PATCH', path, change(), old);
      expect(changed.status).toBe(200);
      const lost = [
        await call('PUT', path, made.body, old),
        await call('PATCH', path, change(), old),
        await call('DELETE', path, undefined, old),
        await call('PATCH', path, change(), '"nonsense", "another"'),
        // A weak tag never matches here, RFC 9110, 13.1.1.
        await call('PATCH', path, change(), `W/${tagOf(changed)}`),
      ];
      for (const { status, body } of lost) {
        expect([status, body.type]).toEqual([412, 'urn:posthorn:problem:precondition_failed']);
      }
      expect((await call('GET', path)).body).toEqual(changed.body);
    });

    it('takes one of several tags, and * for whatever it is', async () => {
      const { path, made } = await create();
      const several = `"x", W/"y",${tagOf(made)}`;
      expect((await call('PATCH', path, change(), several)).status).toBe(200);
      expect((await call('PATCH', path, change(), '*')).status).toBe(200);
      expect((await call('PATCH', path, change(), 'nonsense')).status).toBe(400);
      const now = tagOf(await call('GET', path));
      expect((await call('DELETE', path, undefined, now)).status).toBe(204);
      expect((await call('DELETE', path, undefined, '*')).status).toBe(404);
    });

    it('is changed by one of two who come at the same time', async () => {
      const { path, made } = await create();
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => call('PATCH', path, change(), tagOf(made))),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([
        200,
        ...Array<number>(7).fill(412),
      ]);
    });
  });

  it('gives a mailing no other ETag for the messages that are sent', async () => {
    const made = await call('POST', '/mailings', newMailing());
    const path = `/mailings/${made.body.id}`;
    await addMessages(database.dataSource, made.body.id, [
      { status: 'sent' },
      { status: 'pending' },
    ]);
    expect(tagOf(await call('GET', path))).toBe(tagOf(made));
  });

  it('gives a client another ETag when a tag of it is renamed', async () => {
    const tag = await call('POST', '/tags', { name: 'before' });
    const made = await call('POST', '/clients', { phone: newPhone(), tags: ['before'] });
    await call('PATCH', `/tags/${tag.body.id}`, { name: 'after' });
    const path = `/clients/${made.body.id}`;
    expect((await call('PUT', path, made.body, tagOf(made))).status).toBe(412);
  });

  it('wants to be told for whom a mailing is that is replaced', async () => {
    const made = await call('POST', '/mailings', newMailing({ filter: { tags: ['vip'] } }));
    const path = `/mailings/${made.body.id}`;
    const { filter, ...rest } = made.body;
    const refused = await call('PUT', path, rest);
    expect([refused.status, refused.body.errors.map((error) => error.path)]).toEqual([
      400,
      ['filter'],
    ]);
    expect((await call('PUT', path, { ...rest, filter: null })).status).toBe(400);
    expect((await call('GET', path)).body.filter).toEqual(filter);
    const everyone = { operatorCodes: [], tags: [], phones: [] };
    expect((await call('PUT', path, { ...rest, filter: {} })).body.filter).toEqual(everyone);
  });

  it('calls a mailing without a name by the beginning of its text', async () => {
    const text = `${'Ж\u{1F451}'.repeat(30)} and more`;
    const body = { text, endAt: inMinutes(60) };
    const made = await call('POST', '/mailings', body);
    expect([made.status, made.body.name]).toEqual([201, 'Ж\u{1F451}'.repeat(30)]);
    const path = `/mailings/${made.body.id}`;
    const changed = await call('PATCH', path, { text: 'Another text' });
    expect(changed.body.name).toBe(made.body.name);
    const put = await call('PUT', path, { ...body, filter: {}, text: 'Another text' });
    expect([put.status, put.body.name]).toEqual([200, 'Another text']);
    expect((await call('POST', '/mailings', { ...body, name: null })).status).toBe(400);
    expect((await call('POST', '/mailings', { ...body, name: ' ' })).status).toBe(400);
    expect((await call('POST', '/mailings/preview', body)).status).toBe(200);
  });

  it('gives the answer of a repeated creation its ETag, too', async () => {
    const headers = { 'idempotency-key': 'versions' };
    const body = newMailing();
    const first = await admin.post('/mailings', body, headers);
    const second = await admin.post('/mailings', body, headers);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(tagOf(second)).toBe(tagOf(first));
  });

  it('is described with ETag, If-Match and 412', async () => {
    interface Operation {
      parameters?: { name: string; in: string }[];
      responses: Record<string, { headers?: Record<string, unknown> }>;
      [extension: `x-${string}`]: unknown;
    }
    const { body } = await admin.get<{ paths: Record<string, Record<string, Operation>> }>(
      '/docs-json',
    );
    for (const { kind } of kinds) {
      const { get, put, patch, delete: remove } = body.paths[`/${kind}/{id}`] ?? {};
      for (const operation of [body.paths[`/${kind}`]?.post, get, put, patch]) {
        const [success] = Object.entries(operation?.responses ?? {});
        expect(success?.[1].headers).toHaveProperty('ETag');
      }
      for (const operation of [put, patch, remove]) {
        expect(operation?.parameters?.map(({ name }) => name)).toContain('If-Match');
        expect(Object.keys(operation?.responses ?? {})).toContain('412');
      }
    }
    expect(JSON.stringify(body)).not.toContain('x-versioned');
  });
});
