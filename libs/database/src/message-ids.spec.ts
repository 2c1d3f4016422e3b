import { addClients, addMailing, createTestDatabase, type TestDatabase } from '@app/testkit';
import { createDataSource } from './data-source.js';

/** What the provider has seen must never come again, whatever became of the database meanwhile. */
describe('the ids of messages', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
    await addClients(database.dataSource, [{}, {}, {}]);
  });
  afterEach(() => database.drop());

  const plan = async (): Promise<number[]> => {
    const mailing = await addMailing(database.dataSource);
    const rows = await database.sql<{ id: number }>(
      'INSERT INTO messages (mailing_id, client_id, zone_id) SELECT $1, id, zone_id FROM clients RETURNING id',
      [mailing],
    );
    return rows.map(({ id }) => id);
  };
  /** What a restored dump, a copied folder or a replica that fell behind has in its sequence. */
  const fallBack = () => database.sql(`SELECT setval('messages_id_seq', 5)`);
  const clock = async () => {
    const [row] = await database.sql<{ us: number }>(
      `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us`,
    );
    return row?.us ?? 0;
  };

  it('follow the clock, follow each other within a statement, and are exact as numbers', async () => {
    const before = await clock();
    const ids = await plan();
    expect(ids[0]).toBeGreaterThanOrEqual(before);
    expect(ids).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index));
    expect(ids.at(-1)).toBeLessThan(Number.MAX_SAFE_INTEGER);
  });

  it('go on ahead of every earlier one after the sequence has fallen back', async () => {
    const earlier = await plan();
    await fallBack();
    const later = await plan();
    expect(Math.min(...later)).toBeGreaterThan(Math.max(...earlier));
  });

  it('never go back when the clock does', async () => {
    const hour = 3_600_000_000;
    await database.sql(`SELECT setval('messages_id_seq', $1)`, [(await clock()) + hour]);
    const earlier = await plan();
    const later = await plan();
    expect(later[0]).toBe((earlier.at(-1) ?? 0) + 1);
  });

  it('differ when many sessions move the sequence at once, without waiting for each other', async () => {
    const mailing = await addMailing(database.dataSource);
    await fallBack();
    const held = await createDataSource(database.url, 'holder').initialize();
    const runner = held.createQueryRunner();
    await runner.startTransaction();
    // A transaction that inserted and is not over holds up nobody else.
    await runner.query(
      'INSERT INTO messages (mailing_id, client_id, zone_id) SELECT $1, 1000, zone_id FROM clients LIMIT 1',
      [mailing],
    );
    await fallBack();
    await Promise.all(
      Array.from({ length: 15 }, (_, index) =>
        database.sql(
          `INSERT INTO messages (mailing_id, client_id, zone_id)
           SELECT $1, $2 * 100 + n, zone_id FROM (SELECT zone_id FROM clients LIMIT 1) z, generate_series(1, 50) n`,
          [mailing, index + 100],
        ),
      ),
    );
    await runner.commitTransaction();
    await runner.release();
    await held.destroy();
    const [row] = await database.sql('SELECT count(DISTINCT id) AS n FROM messages');
    expect(row).toEqual({ n: 15 * 50 + 1 });
  });
});
