import {
  type ApiCaller,
  createTestDatabase,
  newPhone,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';

interface Client {
  id: number;
  phone: string;
  operatorCode: string;
  tags: string[];
  timezone: string;
}
interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

describe('the client directory', () => {
  let database: TestDatabase;
  let api: RunningApi;
  let admin: ApiCaller;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi(database.url, { SERVER_TIMEZONE: 'Asia/Yekaterinburg' });
    ({ admin } = api);
  });
  afterAll(async () => {
    await api.process.stop();
    await database.drop();
  });

  async function make(values: Partial<Client> = {}): Promise<Client> {
    const { status, body } = await admin.post<Client>('/clients', { phone: newPhone(), ...values });
    expect(status).toBe(201);
    return body;
  }

  it('adds a client and answers with the whole of it and where it is', async () => {
    const phone = newPhone();
    const wanted = { phone, operatorCode: '123', tags: ['b', 'a', 'b'], timezone: 'Asia/Tokyo' };
    const { status, headers, body } = await admin.post<Client>('/clients', wanted);
    expect(status).toBe(201);
    expect(body).toEqual({ ...wanted, id: expect.any(Number) as number, tags: ['a', 'b'] });
    const location = headers.get('location') ?? '';
    expect(location).toBe(`/clients/${body.id}`);
    expect((await admin.get<Client>(location)).body).toEqual(body);
  });

  it('takes the operator code from the phone and the timezone from the server', async () => {
    const { body } = await admin.post<Client>('/clients', { phone: '79261234567' });
    expect(body).toMatchObject({ operatorCode: '926', timezone: 'Asia/Yekaterinburg', tags: [] });
  });

  it('gives a client that can be mailed: its zone number follows the timezone', async () => {
    const { id } = await make({ timezone: 'Europe/Berlin' });
    await admin.patch(`/clients/${id}`, { timezone: 'Asia/Tokyo' });
    const [row] = await database.dataSource.query<{ zone: string }[]>(
      'SELECT z.name AS zone FROM clients c JOIN zones z ON z.id = c.zone_id WHERE c.id = $1',
      [id],
    );
    expect(row?.zone).toBe('Asia/Tokyo');
  });

  it('has no phone twice, and makes no tags for a client that it refuses', async () => {
    const first = await make();
    const second = await admin.post('/clients', { phone: first.phone, tags: ['never made'] });
    expect(second.status).toBe(409);
    expect(second.body).toMatchObject({
      status: 409,
      code: 'phone_taken',
      errors: [{ path: 'phone' }],
    });
    const other = await make();
    expect((await admin.patch(`/clients/${other.id}`, { phone: first.phone })).status).toBe(409);
    expect((await admin.put(`/clients/${other.id}`, { phone: first.phone })).status).toBe(409);
    const tags = await database.dataSource.query<unknown[]>(
      `SELECT FROM tags WHERE name = 'never made'`,
    );
    expect(tags).toHaveLength(0);
  });

  it('makes one client and one tag of each name out of many requests at once', async () => {
    const phone = newPhone();
    const tags = ['rush 1', 'rush 2', 'rush 3'];
    const same = await Promise.all(
      Array.from({ length: 20 }, () => admin.post('/clients', { phone, tags })),
    );
    const statuses = same.map((answer) => answer.status).sort();
    expect(statuses).toEqual([201, ...Array<number>(19).fill(409)]);
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        admin.post('/clients', { phone: newPhone(), tags: [...tags.toReversed(), `own ${i}`] }),
      ),
    );
    expect(others.map((answer) => answer.status)).toEqual(Array(20).fill(201));
    const [row] = await database.dataSource.query<{ n: number }[]>(
      `SELECT count(*)::int AS n FROM tags WHERE name LIKE 'rush %'`,
    );
    expect(row?.n).toBe(3);
  });

  it('replaces a client with PUT: what is left out gets its default', async () => {
    const { id } = await make({ tags: ['old'], timezone: 'Asia/Tokyo', operatorCode: '111' });
    const phone = '79037654321';
    const { status, body } = await admin.put<Client>(`/clients/${id}`, { phone });
    expect(status).toBe(200);
    const expected = { id, phone, operatorCode: '903', tags: [], timezone: 'Asia/Yekaterinburg' };
    expect(body).toEqual(expected);
    expect((await admin.get<Client>(`/clients/${id}`)).body).toEqual(expected);
  });

  it('changes with PATCH only what is named', async () => {
    const client = await make({ tags: ['keep', 'drop'], timezone: 'Asia/Tokyo' });
    const tagged = await admin.patch<Client>(`/clients/${client.id}`, { tags: ['new', 'keep'] });
    expect(tagged.body).toEqual({ ...client, tags: ['keep', 'new'] });
    const phone = newPhone();
    const moved = await admin.patch<Client>(`/clients/${client.id}`, { phone });
    expect(moved.body).toEqual({ ...client, tags: ['keep', 'new'], phone });
    expect((await admin.patch<Client>(`/clients/${client.id}`, {})).body).toEqual(moved.body);
  });

  it('leaves the tags of one of two changes at once, never a mixture', async () => {
    const { id } = await make();
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        admin.patch(`/clients/${id}`, { tags: ['left', `l${round}`] }),
        admin.patch(`/clients/${id}`, { tags: ['right', `r${round}`] }),
      ]);
      const { tags } = (await admin.get<Client>(`/clients/${id}`)).body;
      expect([
        [`l${round}`, 'left'],
        [`r${round}`, 'right'],
      ]).toContainEqual(tags);
    }
  });

  it('forgets a client', async () => {
    const { id } = await make({ tags: ['gone'] });
    const { status, body } = await admin.delete<string>(`/clients/${id}`);
    expect([status, body]).toEqual([204, '']);
    for (const answer of [
      await admin.get(`/clients/${id}`),
      await admin.delete(`/clients/${id}`),
      await admin.put(`/clients/${id}`, { phone: newPhone() }),
      await admin.patch(`/clients/${id}`, { tags: [] }),
      await admin.get(`/clients/${id}/messages`),
    ]) {
      expect(answer.status).toBe(404);
      expect(answer.body.detail).toBe(`There is no client with id ${id}`);
    }
  });

  it('accepts trailing slashes, parameters of the content type, and HEAD', async () => {
    const phone = newPhone();
    const type = { 'content-type': 'application/json; charset=utf-8' };
    const made = await admin.call<Client>('POST', '/clients/', { phone }, type);
    expect(made.status).toBe(201);
    expect((await admin.get<Client>(`/clients/${made.body.id}/`)).body.phone).toBe(phone);
    expect((await admin.get<Page<Client>>(`/clients/?phone=${phone}`)).body.items).toHaveLength(1);
    expect((await admin.call<string>('HEAD', `/clients/${made.body.id}`)).status).toBe(200);
  });

  it('lists by tag, operator code, timezone and phone, and by all of them together', async () => {
    const tag = 'listed';
    const a = await make({ tags: [tag], operatorCode: '555', timezone: 'Asia/Tokyo' });
    const b = await make({ tags: [tag, 'more'], operatorCode: '556', timezone: 'Asia/Tokyo' });
    const c = await make({ operatorCode: '555', timezone: 'Asia/Seoul' });
    const ids = async (query: string) =>
      (await admin.get<Page<Client>>(`/clients?limit=500&${query}`)).body.items.map((i) => i.id);
    expect(await ids(`tag=${tag}`)).toEqual([a.id, b.id]);
    expect(await ids('operatorCode=555')).toEqual([a.id, c.id]);
    expect(await ids('timezone=Asia/Seoul')).toEqual([c.id]);
    expect(await ids(`phone=${b.phone}`)).toEqual([b.id]);
    expect(await ids(`tag=${tag}&operatorCode=555&timezone=Asia/Tokyo`)).toEqual([a.id]);
    expect(await ids('tag=nobody%20has%20it')).toEqual([]);
  });

  it('pages through a list that is written to without showing anything twice', async () => {
    const tag = 'paged';
    const made: Client[] = [];
    for (let i = 0; i < 7; i++) made.push(await make({ tags: [tag] }));
    const seen: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const after = cursor === '' ? '' : `&cursor=${cursor}`;
      const path = `/clients?tag=${tag}&limit=3${after}`;
      const page: Page<Client> = (await admin.get<Page<Client>>(path)).body;
      seen.push(...page.items.map((item) => item.id));
      // Rows before and after the cursor come and go meanwhile.
      await admin.delete(`/clients/${made[0]?.id}`);
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(made.map((client) => client.id));
  });

  it('shows fifty at a time when nobody says how many', async () => {
    for (let i = 0; i < 51; i++) await make({ tags: ['fifty'] });
    const { body } = await admin.get<Page<Client>>('/clients?tag=fifty');
    expect(body.items).toHaveLength(50);
    expect(body.nextCursor).not.toBeNull();
  });
});
