import {
  addClients,
  type ApiCaller,
  createTestDatabase,
  newPhone,
  type RunningApi,
  startApi,
  type TestDatabase,
} from '@app/testkit';
import { newMailing } from './mailings-fixture.js';

interface Client {
  id: number;
  timezone: string;
}
interface Mailing {
  window: { timezone: string } | null;
}

describe('a timezone', () => {
  let database: TestDatabase;
  let api: RunningApi;
  let admin: ApiCaller;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi(database.url, { SERVER_TIMEZONE: 'asia/calcutta' });
    ({ admin } = api);
  });
  afterAll(async () => {
    await api.process.stop();
    await database.drop();
  });

  async function idsIn(timezone: string): Promise<number[]> {
    const query = new URLSearchParams({ timezone, limit: '500' }).toString();
    const { status, body } = await admin.get<{ items: Client[] }>(`/clients?${query}`);
    expect(status).toBe(200);
    return body.items.map(({ id }) => id);
  }

  it.each([
    ['Asia/Calcutta', 'Asia/Kolkata', ['Asia/Kolkata', 'asia/CALCUTTA', ' Asia/Calcutta ']],
    ['europe/kiev', 'Europe/Kyiv', ['Europe/Kiev', 'Europe/Zaporozhye', 'EUROPE/KYIV']],
    ['europe/moscow', 'Europe/Moscow', ['Europe/Moscow', 'W-SU', 'eUROPE/mOSCOW']],
    ['US/Eastern', 'America/New_York', ['america/new_york', 'us/eastern']],
  ])('%s is stored as %s and found by each of its names', async (given, name, spellings) => {
    const made = await admin.post<Client>('/clients', { phone: newPhone(), timezone: given });
    expect(made.body).toMatchObject({ timezone: name });
    const path = `/clients/${made.body.id}`;
    const [bySql] = await addClients(database.dataSource, [{ timezone: spellings[0] }]);
    const both = await idsIn(name);
    expect(both).toEqual(expect.arrayContaining([made.body.id, bySql]));
    for (const spelling of [given, ...spellings]) {
      expect(await idsIn(spelling)).toEqual(both);
      const changed = await admin.patch<Client>(path, { timezone: spelling });
      expect(changed.body.timezone).toBe(name);
      expect((await admin.get<Client>(path)).body.timezone).toBe(name);
    }
  });

  it('of the server is the canonical one for clients that name none', async () => {
    const { body } = await admin.post<Client>('/clients', { phone: newPhone() });
    expect(body.timezone).toBe('Asia/Kolkata');
    expect(await idsIn('Asia/Calcutta')).toContain(body.id);
  });

  it('of a window is canonical in creation, replacement and change', async () => {
    const window = (timezone: string) => ({ window: { from: '09:00', to: '18:00', timezone } });
    const body = newMailing({ ...window('asia/katmandu'), filter: {} });
    const made = await admin.post<Mailing & { id: number }>('/mailings', body);
    expect(made.body.window?.timezone).toBe('Asia/Kathmandu');
    const path = `/mailings/${made.body.id}`;
    const put = await admin.put<Mailing>(path, { ...body, ...window('ROK') });
    expect(put.body.window?.timezone).toBe('Asia/Seoul');
    const patched = await admin.patch<Mailing>(path, window('prc'));
    expect(patched.body.window?.timezone).toBe('Asia/Shanghai');
    expect((await admin.patch<Mailing>(path, window('Client'))).status).toBe(400);
  });

  it('has one row, however many spellings come in', async () => {
    const name = 'Pacific/Honolulu';
    for (let i = 0; i < 40; i++) {
      const timezone = Array.from(name, (letter, at) =>
        (i * 7 + at) % 3 === 0 ? letter.toUpperCase() : letter.toLowerCase(),
      ).join('');
      expect((await admin.post('/clients', { phone: newPhone(), timezone })).status).toBe(201);
    }
    const zones: { name: string }[] = await database.dataSource.query(
      `SELECT name FROM zones WHERE name ILIKE '%honolulu%'`,
    );
    expect(zones).toEqual([{ name }]);
  });

  it.each(['MSK', 'PST', 'IST', '+03:00', 'Factory', 'Europe/Moscow/1'])(
    'is not %s',
    async (timezone) => {
      for (const answer of [
        await admin.post('/clients', { phone: newPhone(), timezone }),
        await admin.get(`/clients?${new URLSearchParams({ timezone }).toString()}`),
      ]) {
        expect(answer.status).toBe(400);
        expect(answer.body.errors.map(({ path }) => path)).toEqual(['timezone']);
      }
    },
  );
});
