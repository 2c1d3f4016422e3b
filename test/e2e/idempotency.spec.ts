import { poolOf } from '@app/database';
import { type ApiUnderTest, inMinutes, newMailing, startApi } from './mailings-fixture.js';

let api: ApiUnderTest;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const post = (key: string, body: unknown, headers: Record<string, string> = {}) =>
  api.call('POST', '/mailings', body, { 'idempotency-key': key, ...headers });

describe('Idempotency-Key on POST /mailings', () => {
  it('makes one mailing of 50 parallel posts, and answers each with it', async () => {
    const body = newMailing({ name: 'fifty' });
    const answers = await Promise.all(Array.from({ length: 50 }, () => post('fifty', body)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const [first] = answers;
    for (const answer of answers) expect(answer.body).toEqual(first?.body);
    const replayed = answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true');
    expect(replayed).toHaveLength(49);
    expect((await api.call('GET', '/mailings?name=fifty')).body).toMatchObject({
      items: [{ name: 'fifty' }],
      nextCursor: null,
    });
  });

  it('answers with the mailing as it is now, and where it is', async () => {
    const body = newMailing({ name: 'replayed' });
    const { id } = (await post('now', body)).body as { id: number };
    await api.call('PATCH', `/mailings/${id}`, { name: 'renamed' });
    const again = await post('now', body);
    expect(again).toMatchObject({ status: 201, body: { id, name: 'renamed' } });
    expect(again.headers.get('location')).toBe(`/mailings/${id}`);
  });

  it('takes bodies that say the same for the same', async () => {
    const body = newMailing({ filter: { tags: ['a'], phones: [] } });
    const first = await post('same', body);
    const turned = JSON.stringify(Object.fromEntries(Object.entries(body).reverse()), null, 2);
    expect(await post('same', turned)).toMatchObject({ status: 201, body: first.body });
  });

  it('answers 422 to another body under the same key', async () => {
    const endAt = inMinutes(60);
    await post('other', newMailing({ endAt }));
    expect((await post('other', newMailing({ endAt, name: 'another' }))).status).toBe(422);
    expect((await post('other', { nonsense: true })).status).toBe(422);
  });

  it('answers a repetition that comes after the end of its mailing', async () => {
    const body = newMailing({ endAt: new Date(Date.now() + 700).toISOString() });
    const first = await post('late', body);
    expect(first.status).toBe(201);
    while ((await post('fresh', body)).status === 201) {
      await poolOf(api.database.dataSource).query(
        `DELETE FROM idempotency_keys WHERE key = 'fresh'`,
      );
    }
    expect(await post('late', body)).toMatchObject({ status: 201, body: first.body });
  });

  it('forgets a key whose request was refused', async () => {
    expect((await post('refused', newMailing({ text: '' }))).status).toBe(400);
    expect((await post('refused', newMailing())).status).toBe(201);
  });

  it('belongs to the API key that sent it', async () => {
    const made = await api.call('POST', '/tokens', { name: 'crm', role: 'operator' });
    const other = { token: (made.body as { token: string }).token };
    const body = newMailing();
    const mine = (await post('mine', body)).body as { id: number };
    const theirs = (await post('mine', body, other)).body as { id: number };
    expect(theirs.id).not.toBe(mine.id);
  });

  it.each(['', 'x'.repeat(256), 'ключ'])('refuses the key "%s"', async (key) => {
    const header = Buffer.from(key).toString('latin1');
    const answer = await post(header, newMailing());
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'Idempotency-Key' }] } });
  });
});

describe('Idempotency-Key on other routes', () => {
  interface Thing {
    id: number;
  }
  const send = (path: string, key: string, body?: unknown) =>
    api.call('POST', path, body, { 'idempotency-key': key });
  const today = () => new Date().toISOString().slice(0, 10);

  const ROUTES = [
    ['/clients', { phone: '79120000001', tags: ['vip', 'new'] }, { phone: '79120000002' }],
    ['/tags', { name: 'idempotent' }, { name: 'another' }],
  ] as const;

  it.each(ROUTES)('makes one thing of parallel posts to %s', async (path, body, other) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(path, 'k1', body)));
    const { id } = answers[0]?.body as Thing;
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 201, body: { id } });
      expect(answer.headers.get('location')).toBe(`${path}/${id}`);
      expect(answer.headers.get('etag')).not.toBeNull();
    }
    const replayed = answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true');
    expect(replayed).toHaveLength(19);
    expect((await send(path, 'k1', other)).status).toBe(422);
  });

  it.each(ROUTES)('frees the key of a post to %s that is refused', async (path, body, other) => {
    expect((await send(path, 'k2', body)).status).toBe(409); // it is there already
    const made = await send(path, 'k2', other);
    expect(made.status).toBe(201);
    expect(made.headers.get('idempotent-replayed')).toBeNull();
    await api.call('DELETE', `${path}/${(made.body as Thing).id}`);
    expect((await send(path, 'k2', other)).status).toBe(409);
  });

  it('asks for a report once', async () => {
    const path = `/reports/${today()}/send`;
    const first = await send(path, 'k3');
    expect(first.status).toBe(202);
    const again = await send(path, 'k3');
    expect(again).toMatchObject({ status: 202, body: { id: (first.body as Thing).id } });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await send('/reports/2026-01-01/send', 'k3')).status).toBe(422);
    expect(((await send(path, 'k4')).body as Thing).id).not.toBe((first.body as Thing).id);
  });

  it('keeps the keys of different routes apart', async () => {
    const client = await send('/clients', 'k5', { phone: '79120000005' });
    const tag = await send('/tags', 'k5', { name: 'k5' });
    expect([client.status, tag.status]).toEqual([201, 201]);
  });

  it('repeats no API key, which is shown once', async () => {
    const body = { name: 'secret', role: 'viewer' };
    expect((await send('/tokens', 'k6', body)).status).toBe(201);
    expect((await send('/tokens', 'k6', body)).status).toBe(409); // the name is taken
  });
});
