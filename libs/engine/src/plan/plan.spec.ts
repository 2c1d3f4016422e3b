import type { AudienceFilter } from '@app/database';
import {
  addClients,
  addManyClients,
  countersAndRows,
  type TestDatabase,
  Planning,
} from '@app/testkit';
import fc from 'fast-check';
import type { PlanService } from './plan.service.js';
import type { SlotsService } from './slots.service.js';

describe('planning', () => {
  let planning: Planning;
  let database: TestDatabase;
  let plan: PlanService;
  let slots: SlotsService;
  const sql = <Row = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    database.sql<Row>(text, values);
  const scheduled: Planning['scheduled'] = (seed) => planning.scheduled(seed);
  const round: Planning['round'] = () => planning.round();
  const planAll = () => planning.planAll();

  beforeAll(async () => {
    planning = await Planning.start();
    ({ database, plan, slots } = planning);
  });
  beforeEach(async () => {
    await sql(
      'TRUNCATE messages, mailings, mailing_counters, mailing_slots, clients, tags, client_tags CASCADE',
    );
  });
  afterAll(() => database.drop());

  const audience = async (mailingId: number) => {
    const rows: { client_id: number }[] = await sql(
      'SELECT client_id FROM messages WHERE mailing_id = $1 ORDER BY 1',
      [mailingId],
    );
    return rows.map((row) => row.client_id);
  };

  it('starts what is due and leaves what is not', async () => {
    await addClients(database.dataSource, [{}]);
    const due = await scheduled();
    const later = await scheduled({ startsIn: 10 });
    expect(await plan.start()).toEqual([due]);
    const rows: unknown[] = await sql('SELECT id, status FROM mailings ORDER BY id');
    expect(rows).toEqual([
      { id: due, status: 'running' },
      { id: later, status: 'scheduled' },
    ]);
  });

  it('stores a row for everyone and says that the total is final', async () => {
    const clients = await addClients(database.dataSource, [{}, { timezone: 'Asia/Omsk' }, {}]);
    const mailing = await scheduled();
    await planAll();
    expect(await audience(mailing)).toEqual(clients);
    const state = await countersAndRows(database.dataSource, mailing);
    expect(state.counters).toEqual({ pending: 3 });
    expect(await sql('SELECT planned, total FROM mailing_counters')).toEqual([
      { planned: true, total: 3 },
    ]);
  });

  it('finds the same audience as a plain reading of the filter, whatever drives the search', async () => {
    const seeds = Array.from({ length: 60 }, (_, index) => ({
      operatorCode: ['900', '901', '902'][index % 3] ?? '',
      tags: ['a', 'b', 'c'].filter((_tag, bit) => (index >> bit) & 1),
      phone: `7999000${String(index).padStart(4, '0')}`,
    }));
    const ids = await addClients(database.dataSource, seeds);
    const some = (values: string[]) => fc.subarray(values, { maxLength: 2 });
    const filters = fc.record<AudienceFilter>({
      operatorCodes: some(['900', '901', '902', '777']),
      tags: some(['a', 'b', 'c', 'nobody']),
      phones: fc.oneof(
        fc.constant<string[]>([]),
        fc.subarray(seeds.map((seed) => seed.phone).concat('79990009999'), { minLength: 1 }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(filters, async (filter) => {
        const mailing = await scheduled({ filter });
        await planAll();
        const within = (list: string[], values: string[]) =>
          list.length === 0 || values.some((value) => list.includes(value));
        const expected = ids.filter((_id, index) => {
          const seed = seeds[index];
          return (
            seed !== undefined &&
            within(filter.operatorCodes, [seed.operatorCode]) &&
            within(filter.tags, seed.tags) &&
            within(filter.phones, [seed.phone])
          );
        });
        expect(await audience(mailing)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('plans a large audience in chunks, the first one small', async () => {
    await addManyClients(database.dataSource, 5_000);
    const mailing = await scheduled();
    expect(await round()).toEqual({ planned: 2_000, more: true });
    expect(await sql('SELECT planned FROM mailing_counters')).toEqual([{ planned: false }]);
    await planAll();
    expect((await countersAndRows(database.dataSource, mailing)).counters).toEqual({
      pending: 5_000,
    });
  });

  it('begins a new mailing before it goes on with a large one', async () => {
    await addManyClients(database.dataSource, 3_000);
    const large = await scheduled();
    await round();
    const [before] = await sql<{ last: number }>('SELECT max(id) AS last FROM messages');
    const small = await scheduled();
    await round();
    const order = await sql(
      'SELECT mailing_id FROM messages WHERE id > $1 GROUP BY 1 ORDER BY min(id)',
      [before?.last],
    );
    expect(order).toEqual([{ mailing_id: small }, { mailing_id: large }]);
  });

  it('stores the rows of a chunk by zone, as they are going to be read', async () => {
    const [east, west] = ['Asia/Omsk', 'Europe/Moscow'];
    await addClients(
      database.dataSource,
      [east, west, east, west].map((timezone) => ({ timezone })),
    );
    await scheduled();
    await planAll();
    const zones = await sql<{ name: string }>(
      'SELECT name FROM messages m JOIN zones z ON z.id = m.zone_id ORDER BY m.id',
    );
    const found = zones.map(({ name }) => name);
    expect(found).toHaveLength(4);
    expect([
      [east, east, west, west],
      [west, west, east, east],
    ]).toContainEqual(found);
  });

  it('repeats a chunk without harm when it died before remembering how far it had come', async () => {
    await addManyClients(database.dataSource, 3_000);
    const mailing = await scheduled();
    await round();
    await sql('UPDATE mailings SET plan_cursor = 0');
    await planAll();
    const state = await countersAndRows(database.dataSource, mailing);
    expect(state.rows).toEqual({ pending: 3_000 });
    expect(state.counters).toEqual(state.rows);
  });

  it('leaves out clients who came after the mailing had started', async () => {
    await addManyClients(database.dataSource, 2_500);
    const mailing = await scheduled();
    await round();
    await addManyClients(database.dataSource, 10);
    await planAll();
    expect((await countersAndRows(database.dataSource, mailing)).rows).toEqual({ pending: 2_500 });
  });

  it('includes a client whose timezone was new when planning began', async () => {
    await addManyClients(database.dataSource, 2_001);
    const mailing = await scheduled();
    await round();
    await sql(
      `UPDATE clients SET timezone = 'Pacific/Chatham' WHERE id = (SELECT max(id) FROM clients)`,
    );
    await planAll();
    expect((await countersAndRows(database.dataSource, mailing)).rows).toEqual({ pending: 2_001 });
    expect(
      await sql(
        `SELECT 1 FROM mailing_slots s JOIN zones z ON z.id = s.zone_id WHERE z.name = 'Pacific/Chatham'`,
      ),
    ).toHaveLength(1);
  });

  it('stores clients as expired that the window cannot reach before the end', async () => {
    const now = new Date();
    const hour = (offset: number) =>
      `${String((now.getUTCHours() + offset + 24) % 24).padStart(2, '0')}:00`;
    await addClients(database.dataSource, [{ timezone: 'Etc/GMT' }, { timezone: 'Etc/GMT-12' }]);
    const mailing = await scheduled({
      endsIn: 30,
      window: { from: hour(-1), to: hour(3), timezone: 'client' },
    });
    await planAll();
    const rows: unknown[] = await sql(
      'SELECT status, last_error_code FROM messages WHERE mailing_id = $1 ORDER BY id',
      [mailing],
    );
    expect(rows).toEqual([
      { status: 'pending', last_error_code: null },
      { status: 'expired', last_error_code: 'no_slot' },
    ]);
  });

  it('finishes with expired rows when the end overtakes it', async () => {
    await addManyClients(database.dataSource, 2_500);
    const mailing = await scheduled();
    await round();
    await sql(`UPDATE mailings SET status = 'completed', ended_at = now() WHERE id = $1`, [
      mailing,
    ]);
    await planAll();
    const state = await countersAndRows(database.dataSource, mailing);
    expect(state.rows).toEqual({ pending: 2_000, expired: 500 });
    expect(state.counters).toEqual(state.rows);
  });

  it('plans no message for a mailing that was cancelled before it began', async () => {
    await addManyClients(database.dataSource, 3);
    const mailing = await scheduled();
    await sql(`UPDATE mailings SET status = 'cancelled', ended_at = now() WHERE id = $1`, [
      mailing,
    ]);
    await planAll();
    expect((await countersAndRows(database.dataSource, mailing)).rows).toEqual({});
    expect(await sql('SELECT planned FROM mailing_counters')).toEqual([{ planned: true }]);
  });

  describe('of slots', () => {
    const stored = (): Promise<{ opens_at: Date; closes_at: Date }[]> =>
      sql('SELECT opens_at, closes_at FROM mailing_slots');

    it('takes the next one when one has closed, and touches no message', async () => {
      await addManyClients(database.dataSource, 3);
      const mailing = await scheduled({
        endsIn: 60 * 24 * 3,
        window: { from: '00:00', to: '23:00', timezone: 'client' },
      });
      await planAll();
      const versions: { v: string }[] = await sql('SELECT xmin::text AS v FROM messages');
      await sql(
        `UPDATE mailing_slots SET opens_at = now() - interval '9 h', closes_at = now() - interval '1 s'`,
      );
      await slots.run();
      const [slot] = await stored();
      expect(slot?.closes_at.getTime()).toBeGreaterThan(Date.now());
      expect(await sql('SELECT xmin::text AS v FROM messages')).toEqual(versions);
      expect(await sql('SELECT id FROM mailings')).toEqual([{ id: mailing }]);
    });

    it('computes them again after an edit removed them, and not from the old times', async () => {
      await addManyClients(database.dataSource, 1);
      const mailing = await scheduled();
      await planAll();
      await sql(
        `UPDATE mailings SET end_at = end_at + interval '1 hour', schedule_version = 2 WHERE id = $1`,
        [mailing],
      );
      await sql('DELETE FROM mailing_slots');
      await slots.run();
      const [slot] = await stored();
      const [row]: { end_at: Date }[] = await sql('SELECT end_at FROM mailings');
      expect(slot?.closes_at).toEqual(row?.end_at);
    });
  });
});
