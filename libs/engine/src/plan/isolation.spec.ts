import type { Queryable } from '@app/database';
import { addClients, Planning } from '@app/testkit';
import type { PlanService } from './plan.service.js';
import { timestampText } from './slots.queries.js';

describe('a mailing that fails', () => {
  let planning: Planning;
  let plan: PlanService;
  const sql = <Row = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    planning.database.sql<Row>(text, values);
  const scheduled: Planning['scheduled'] = (seed) => planning.scheduled(seed);

  beforeEach(async () => {
    planning = await Planning.start();
    ({ plan } = planning);
    await addClients(planning.database.dataSource, [{}, { timezone: 'Asia/Omsk' }]);
  });
  afterEach(() => planning.database.drop());

  const planned = () =>
    sql<{ id: number }>('SELECT mailing_id AS id FROM mailing_counters WHERE planned ORDER BY 1');
  const withSlots = () => sql('SELECT DISTINCT mailing_id AS id FROM mailing_slots ORDER BY 1');
  async function planAll(): Promise<void> {
    await planning.planAll();
    expect((await planning.round()).more).toBe(false);
  }
  /** Whatever is done to rows of the mailing fails. */
  const breakRows = (table: string, when: string, change: string) =>
    sql(`
      CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'broken'; END $$;
      CREATE TRIGGER broken BEFORE ${change} ON ${table} FOR EACH ROW WHEN (${when})
        EXECUTE FUNCTION broken()`);
  const repair = () => sql('DROP FUNCTION broken CASCADE');

  it.each([
    ['start', 'mailings', 'UPDATE', 'NEW.id'],
    ['store its messages', 'messages', 'INSERT', 'NEW.mailing_id'],
    ['store its slots', 'mailing_slots', 'INSERT', 'NEW.mailing_id'],
    ['be counted', 'mailing_counters', 'UPDATE', 'NEW.mailing_id'],
  ])('because it cannot %s keeps no other one waiting', async (_, table, change, column) => {
    const ids = [await scheduled(), await scheduled(), await scheduled()];
    await breakRows(table, `${column} = ${ids[1]}`, change);
    await planAll();
    expect(await planned()).toEqual([{ id: ids[0] }, { id: ids[2] }]);
    expect(await withSlots()).toEqual(expect.arrayContaining([{ id: ids[0] }, { id: ids[2] }]));
  });

  it('is planned as soon as it works', async () => {
    const id = await scheduled();
    await breakRows('messages', 'true', 'INSERT');
    await planAll();
    expect(await planned()).toEqual([]);
    await repair();
    const again = planning.anotherPlan();
    while ((await again.run()).more);
    expect(await planned()).toEqual([{ id }]);
  });

  it('because the database is away is not set aside, and the task hears of it', async () => {
    await scheduled();
    const away: Queryable = {
      query: (statement) =>
        statement.text.includes('INTO messages')
          ? Promise.reject(new Error('Connection terminated unexpectedly'))
          : planning.db.query(statement),
    };
    await plan.start();
    await planning.slots.run();
    const offline = planning.anotherPlan(away);
    await expect(offline.run()).rejects.toThrow('Connection terminated');
    await expect(offline.run()).rejects.toThrow('Connection terminated');
  });

  it('because its hours cannot be read delays no other mailing', async () => {
    const ids = [await scheduled(), await scheduled()];
    await sql(
      `UPDATE mailings SET window_from = '9 a.m.', window_to = '18:00', window_timezone = 'client' WHERE id = $1`,
      [ids[0]],
    );
    await planAll();
    expect(await planned()).toEqual([{ id: ids[1] }]);
    expect(await withSlots()).toEqual([{ id: ids[1] }]);
    expect(await sql('SELECT 1 FROM messages WHERE status = $1', ['expired'])).toEqual([]);
  });

  it('in one timezone that the runtime does not know goes on in all the others', async () => {
    await sql(`INSERT INTO zones (name) VALUES ('Nowhere/Land')`);
    await sql(
      `UPDATE clients SET zone_id = (SELECT id FROM zones WHERE name = 'Nowhere/Land')
       WHERE id = (SELECT max(id) FROM clients)`,
    );
    const id = await scheduled({ window: { from: '00:00', to: '23:59', timezone: 'client' } });
    await planAll();
    expect(await planned()).toEqual([{ id }]);
    const rows = await sql(
      `SELECT z.name, m.status, s.closes_at IS NOT NULL AS slot FROM messages m
       JOIN zones z ON z.id = m.zone_id LEFT JOIN mailing_slots s USING (mailing_id, zone_id) ORDER BY 1`,
    );
    expect(rows).toEqual([
      { name: 'Europe/Moscow', status: 'pending', slot: true },
      { name: 'Nowhere/Land', status: 'pending', slot: false },
    ]);
  });

  it.each([
    ['0001-01-01 00:00:00+03', '2199-01-01 00:00:00+00'],
    ['0044-03-15 12:00:00+00 BC', '2199-01-01 00:00:00+00'],
    ['0001-06-01 00:00:00+00 BC', '2199-01-01 00:00:00+00'],
    ['2026-01-01 00:00:00+00', '9999-12-31 23:59:59-03'],
    ['2026-01-01 00:00:00+00', '20000-01-01 00:00:00.123+00'],
  ])('because it runs from %s to %s does not fail', async (from, to) => {
    const id = await scheduled();
    await sql('UPDATE mailings SET start_at = $2, end_at = $3 WHERE id = $1', [id, from, to]);
    const other = await scheduled();
    await planAll();
    expect(await planned()).toEqual([{ id }, { id: other }]);
    const slot = await sql(
      `SELECT opens_at = start_at AND closes_at = end_at AS same
       FROM mailing_slots s JOIN mailings g ON g.id = s.mailing_id WHERE g.id = $1`,
      [id],
    );
    expect(slot.slice(0, 1)).toEqual([{ same: true }]);
  });

  it('of dates writes each as the database reads it', async () => {
    for (const time of [-2e14, -62_198_755_200_000, -62_135_596_800_000, 0, 253_402_300_800_123]) {
      const [row] = await sql<{ ms: number }>(
        'SELECT (extract(epoch FROM $1::timestamptz) * 1000)::float8 AS ms',
        [timestampText(new Date(time))],
      );
      expect(row?.ms).toBe(time);
    }
  });
});
