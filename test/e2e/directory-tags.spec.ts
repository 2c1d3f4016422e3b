import {
  type ApiCaller,
  createTestDatabase,
  newPhone,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';

interface Tag {
  id: number;
  name: string;
}
interface Page {
  items: Tag[];
  nextCursor: string | null;
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

  it.each([
    [{}, ['name']],
    [{ name: '' }, ['name']],
    [{ name: ' ' }, ['name']],
    [{ name: ' a' }, ['name']],
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
