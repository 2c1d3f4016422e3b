import { CANONICAL_TIMEZONES } from '@app/platform';
import { createTestDatabase, newPhone, type TestDatabase } from '@app/testkit';

describe('the zone of a client that was written by SQL', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database.drop();
  });

  async function insert(timezone: string): Promise<number> {
    const rows: { id: number }[] = await database.dataSource.query(
      `INSERT INTO clients (phone, operator_code, timezone) VALUES ($1, '900', $2) RETURNING id`,
      [newPhone(), timezone],
    );
    return rows[0]?.id ?? 0;
  }

  async function zoneOf(id: number): Promise<{ timezone: string; zone: string } | undefined> {
    const rows: { timezone: string; zone: string }[] = await database.dataSource.query(
      `SELECT c.timezone, z.name AS zone FROM clients c JOIN zones z ON z.id = c.zone_id WHERE c.id = $1`,
      [id],
    );
    return rows[0];
  }

  it.each([
    ['europe/moscow', 'Europe/Moscow'],
    [' Europe/Moscow\u00a0', 'Europe/Moscow'],
    ['W-SU', 'Europe/Moscow'],
    ['Asia/Calcutta', 'Asia/Kolkata'],
    ['EUROPE/KIEV', 'Europe/Kyiv'],
    ['utc', 'Etc/UTC'],
    ['America/Argentina/ComodRivadavia', 'America/Argentina/Catamarca'],
  ])('%j is %j', async (given, name) => {
    expect(await zoneOf(await insert(given))).toEqual({ timezone: name, zone: name });
  });

  it('is one for all spellings of all names', async () => {
    const names = [...CANONICAL_TIMEZONES];
    const spelled = names.flatMap(([spelling, name]) => [
      [spelling, name],
      [spelling.toUpperCase(), name],
      [` ${spelling}`, name],
    ]);
    await database.dataSource.query(
      `INSERT INTO clients (phone, operator_code, timezone)
       SELECT '7800' || lpad(n::text, 7, '0'), '800', zone FROM unnest($1::text[]) WITH ORDINALITY AS t (zone, n)`,
      [spelled.map(([spelling]) => spelling)],
    );
    const rows: { timezone: string }[] = await database.dataSource.query(
      `SELECT timezone FROM clients WHERE operator_code = '800' ORDER BY phone`,
    );
    expect(rows.map(({ timezone }) => timezone)).toEqual(spelled.map(([, name]) => name));
    const zones: { name: string }[] = await database.dataSource.query('SELECT name FROM zones');
    expect(zones.map(({ name }) => name).sort()).toEqual(
      [...new Set(names.map(([, n]) => n))].sort(),
    );
  });

  it('follows a change of the timezone', async () => {
    const id = await insert('Asia/Tokyo');
    await database.dataSource.query(`UPDATE clients SET timezone = 'rok' WHERE id = $1`, [id]);
    expect(await zoneOf(id)).toEqual({ timezone: 'Asia/Seoul', zone: 'Asia/Seoul' });
  });

  it('may be one that only the server knows', async () => {
    await database.dataSource.query(
      `DELETE FROM timezone_names WHERE spelling = 'pacific/chatham'`,
    );
    await database.dataSource.query(`DELETE FROM clients WHERE timezone = 'Pacific/Chatham'`);
    await database.dataSource.query(`DELETE FROM zones WHERE name = 'Pacific/Chatham'`);
    const name = 'Pacific/Chatham';
    expect(await zoneOf(await insert('pacific/CHATHAM'))).toEqual({ timezone: name, zone: name });
  });

  it.each(['', 'Mars/Olympus', '+03:00', 'MSK', 'posix/Europe/Moscow', 'Factory', 'localtime'])(
    'cannot be %j',
    async (given) => {
      await expect(insert(given)).rejects.toMatchObject({
        code: '22023',
        message: `There is no timezone "${given}"`,
      });
    },
  );
});
