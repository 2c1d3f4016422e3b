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
