import {
  type ApiCaller,
  createTestDatabase,
  newPhone,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';
import { inMinutes, newMailing } from './mailings-fixture.js';

interface Tag {
  id: number;
  name: string;
}
interface Page {
  items: Tag[];
  nextCursor: string | null;
}
interface Mailing {
  id: number;
  filter: { tags: string[] };
}
interface Client {
  id: number;
  tags: string[];
}

describe('tags', () => {
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

  async function make(name: string): Promise<Tag> {
    const { status, body, headers } = await admin.post<Tag>('/tags', { name });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/tags/${body.id}`);
    return body;
  }

  it('are made, read, renamed and deleted, on the clients that have them, too', async () => {
    const tag = await make('vip 👑');
    expect((await admin.get<Tag>(`/tags/${tag.id}`)).body).toEqual(tag);
    const client = await admin.post<Client>('/clients', { phone: newPhone(), tags: [tag.name] });

    const renamed = await admin.patch<Tag>(`/tags/${tag.id}`, { name: 'gold' });
    expect(renamed.body).toEqual({ id: tag.id, name: 'gold' });
    const path = `/clients/${client.body.id}`;
    expect((await admin.get<Client>(path)).body.tags).toEqual(['gold']);

    expect((await admin.delete<string>(`/tags/${tag.id}`)).status).toBe(204);
    expect((await admin.get<Client>(path)).body.tags).toEqual([]);
    for (const answer of [
      await admin.get(`/tags/${tag.id}`),
      await admin.patch(`/tags/${tag.id}`, { name: 'silver' }),
      await admin.delete(`/tags/${tag.id}`),
    ]) {
      expect(answer.status).toBe(404);
    }
  });

  it('have a name of their own', async () => {
    const [one, two] = [await make('one'), await make('two')];
    for (const answer of [
      await admin.post('/tags', { name: one.name }),
      await admin.patch(`/tags/${two.id}`, { name: one.name }),
    ]) {
      expect(answer.status).toBe(409);
      expect(answer.body.errors).toEqual([{ path: 'name', message: 'is taken' }]);
    }
    expect((await admin.patch<Tag>(`/tags/${one.id}`, { name: 'one' })).status).toBe(200);
  });

  it('are one however they are written, on clients, in filters and in queries', async () => {
    const [composed, written] = ['caf\u00e9', ' cafe\u0301\t'];
    const tag = await make(written);
    expect(tag.name).toBe(composed);
    expect((await admin.post('/tags', { name: composed })).status).toBe(409);
    const client = await admin.post<Client>('/clients', {
      phone: newPhone(),
      tags: [written, composed],
    });
    expect(client.body.tags).toEqual([composed]);
    const changed = await admin.patch<Client>(`/clients/${client.body.id}`, { tags: [written] });
    expect(changed.body.tags).toEqual([composed]);
    for (const name of [written, composed]) {
      const query = new URLSearchParams({ tag: name }).toString();
      const found = (await admin.get<{ items: Client[] }>(`/clients?${query}`)).body.items;
      expect(found.map(({ id }) => id)).toEqual([client.body.id]);
      const body = newMailing({ filter: { tags: [name] } });
      const preview = await admin.post<{ audience: number }>('/mailings/preview', body);
      expect(preview.body.audience).toBe(1);
      const mailing = await admin.post<Mailing>('/mailings', body);
      expect(mailing.body.filter.tags).toEqual([composed]);
    }
  });

  it('stay in the filter of a scheduled mailing when they are renamed, and are not deleted', async () => {
    const tag = await make('early');
    const mailing = await admin.post<Mailing>(
      '/mailings',
      newMailing({
        name: 'Spring',
        startAt: inMinutes(30),
        filter: { tags: ['early', 'other'] },
      }),
    );
    const path = `/mailings/${mailing.body.id}`;
    await admin.patch(`/tags/${tag.id}`, { name: 'bird' });
    expect((await admin.get<Mailing>(path)).body.filter.tags).toEqual(['bird', 'other']);

    const refused = await admin.delete(`/tags/${tag.id}`);
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toContain(String(mailing.body.id));
    expect(refused.body).toMatchObject({
      code: 'tag_in_use',
      data: { mailings: [mailing.body.id] },
    });
    expect(refused.body.errors).toEqual([
      { path: 'id', message: `is used by mailing ${mailing.body.id}, "Spring"` },
    ]);
    await admin.patch(path, { filter: { tags: ['other'] } });
    expect((await admin.delete<string>(`/tags/${tag.id}`)).status).toBe(204);
  });

  it.each([
    [{}, ['name']],
    [{ name: '' }, ['name']],
    [{ name: ' ' }, ['name']],
    [{ name: '\u00a0\n' }, ['name']],
    [{ name: 'two\nlines' }, ['name']],
    [{ name: 5 }, ['name']],
    [{ name: null }, ['name']],
    [{ name: 'a'.repeat(101) }, ['name']],
    [{ name: 'ok', color: 'red' }, ['color']],
  ])('are not made of %j', async (body, paths) => {
    const answer = await admin.post('/tags', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error) => error.path)).toEqual(paths);
  });

  it('are listed in order of id, page by page', async () => {
    for (let i = 0; i < 5; i++) await make(`page ${i}`);
    const all = (await admin.get<Page>('/tags?limit=500')).body;
    expect(all.nextCursor).toBeNull();
    const first = (await admin.get<Page>('/tags?limit=2')).body;
    const second = (await admin.get<Page>(`/tags?limit=2&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...second.items]).toEqual(all.items.slice(0, 4));
  });
});
