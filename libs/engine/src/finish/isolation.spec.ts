import { poolOf } from '@app/database';
import { createLogger } from '@app/platform';
import {
  addMailing,
  addMessages,
  createTestDatabase,
  type MailingSeed,
  type MessageSeed,
  openSlots,
  type TestDatabase,
} from '@app/testkit';
import { FinishService } from './finish.service.js';

describe('a mailing that fails', () => {
  let database: TestDatabase;
  let finish: FinishService;
  const sql = <Row = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    database.sql<Row>(text, values);

  beforeEach(async () => {
    database = await createTestDatabase();
    finish = new FinishService(poolOf(database.dataSource), createLogger('test', 'silent'));
  });
  afterEach(() => database.drop());

  /** Three mailings of the same kind. */
  async function three(messages: MessageSeed[], seed: MailingSeed = {}): Promise<number[]> {
    const ids: number[] = [];
    for (let index = 0; index < 3; index++) {
      const id = await addMailing(database.dataSource, seed);
      await addMessages(database.dataSource, id, messages);
      ids.push(id);
    }
    await sql('UPDATE mailings SET finished_at = NULL, ended_at = NULL');
    return ids;
  }
  const breakRows = (table: string, when: string, change = 'UPDATE') =>
    sql(`
      CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'broken'; END $$;
      CREATE TRIGGER broken BEFORE ${change} ON ${table} FOR EACH ROW WHEN (${when})
        EXECUTE FUNCTION broken()`);
  const idsOf = async (condition: string) =>
    (await sql<{ id: number }>(`SELECT id FROM mailings WHERE ${condition} ORDER BY id`)).map(
      ({ id }) => id,
    );
  async function endAll(): Promise<void> {
    for (let run = 0; run < 20 && (await finish.end()) === 'more'; run++);
    expect(await finish.end()).not.toBe('more');
  }

  it.each([
    ['end', 'mailings', `NEW.status = 'completed' AND NEW.id`],
    ['close its messages', 'messages', 'NEW.mailing_id'],
    ['finish', 'mailings', 'NEW.finished_at IS NOT NULL AND NEW.id'],
  ])('because it cannot %s keeps no other one waiting', async (_, table, which) => {
    const [first, broken, last] = await three([{ status: 'pending' }], { endsIn: -0.001 });
    await breakRows(table, `${which} = ${broken}`);
    await endAll();
    expect(await idsOf('finished_at IS NOT NULL')).toEqual([first, last]);
  });

  it('because its leases cannot be recorded keeps no other one waiting', async () => {
    const [, broken] = await three([{ status: 'sending' }, { status: 'sending' }]);
    await sql(`UPDATE messages SET lease_until = now() - interval '1 s'`);
    // Somebody has moved a counter by hand.
    await sql('UPDATE mailing_counters SET sending = 0, pending = 2 WHERE mailing_id = $1', [
      broken,
    ]);
    await sql('UPDATE mailing_counters SET sending = 1, pending = 1 WHERE mailing_id = $1', [
      broken,
    ]);
    // The four of the others, and the one that this counter has room for.
    expect(await finish.sweep()).toBe(5);
    expect(
      await sql(`SELECT DISTINCT mailing_id AS id FROM messages WHERE status = 'sending'`),
    ).toEqual([{ id: broken }]);
  });

  it('because it cannot be purged keeps no other one waiting', async () => {
    const [, broken] = await three([{ status: 'sent' }]);
    await sql('UPDATE mailings SET deleted_at = now()');
    await sql('DELETE FROM mailing_counters');
    await breakRows('messages', `OLD.mailing_id = ${broken}`, 'DELETE');
    for (let run = 0; run < 20 && (await finish.purge()); run++);
    expect(await finish.purge()).toBe(false);
    expect(await idsOf('true')).toEqual([broken]);
  });

  it('is of no matter to the slots of the others, which go with their mailing', async () => {
    const [first = 0, broken, last = 0] = await three([{ status: 'sent' }]);
    for (const id of [first, broken ?? 0, last]) await openSlots(database.dataSource, id);
    await breakRows('mailings', `NEW.id = ${broken}`);
    await endAll();
    expect(await sql('SELECT DISTINCT mailing_id AS id FROM mailing_slots')).toEqual([
      { id: broken },
    ]);
  });

  it('or not: keys of requests older than a day are removed', async () => {
    await sql(
      `INSERT INTO idempotency_keys (scope, resource_kind, key, request_hash, resource_id, created_at)
       SELECT 's', 'mailing', i::text, '', 1, now() - i * interval '1 hour' FROM generate_series(1, 48) i`,
    );
    while (await finish.purge());
    expect(await sql('SELECT count(*) AS n FROM idempotency_keys')).toEqual([{ n: 23 }]);
  });
});
