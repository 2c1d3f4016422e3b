import { MESSAGE_STATUSES, poolOf, type Queryable, type Statement } from '@app/database';
import { addMailing, createTestDatabase, type TestDatabase } from '@app/testkit';
import {
  findMessageByPhone,
  listMessages,
  listMessagesByStatus,
  listRepeatedMessages,
  readAttempts,
  readMessage,
} from './message.queries.js';

let database: TestDatabase;
let mailingId: number;

beforeAll(async () => {
  database = await createTestDatabase();
  mailingId = await addMailing(database.dataSource);
  const pool = poolOf(database.dataSource);
  await pool.query(
    `WITH zone AS (INSERT INTO zones (name) VALUES ('Europe/Moscow'), ('Asia/Omsk') RETURNING id)
     INSERT INTO messages (mailing_id, client_id, zone_id, status)
     SELECT $1, n, zone.id, CASE WHEN n % 3 = 0 THEN 'expired' ELSE 'pending' END::message_status
     FROM zone, generate_series(zone.id * 20000, zone.id * 20000 + 15000) n`,
    [mailingId],
  );
  await pool.query(
    `INSERT INTO delivery_attempts (message_id, attempt, at, outcome, error_code)
     SELECT n, 1, now(), 'retry', 'http_503' FROM generate_series(1, 20000) n`,
  );
  await pool.query('ANALYZE');
});
afterAll(() => database.drop());

/** The plan of the statement that `read` would run. */
async function planOf(read: (db: Queryable) => Promise<unknown>): Promise<string> {
  let plan = '';
  const explain = async ({ text, values = [] }: Statement) => {
    const { rows } = await poolOf(database.dataSource).query<{ 'QUERY PLAN': string }>(
      `EXPLAIN ${text}`,
      values,
    );
    plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    return { rows: [], rowCount: 0 };
  };
  await read({ query: explain });
  return plan;
}

describe('the lists of messages', () => {
  it('begin any page at its place in the unique index, without sorting', async () => {
    const plan = await planOf((db) =>
      listMessages(db, { mailingId, afterClientId: 30_000, limit: 50 }),
    );
    expect(plan).toMatch(/Index Scan using messages_mailing_id_client_id_key/);
    expect(plan).toMatch(/Index Cond: .*client_id > /);
    expect(plan).not.toMatch(/Sort|Seq Scan on messages/);
  });

  it.each(MESSAGE_STATUSES)('begin any page of %s at its place in messages_due', async (status) => {
    const after = { zoneId: 1, notBeforeUs: null, id: 5_000 };
    const plan = await planOf((db) =>
      listMessagesByStatus(db, { mailingId, status, after, limit: 50 }),
    );
    expect(plan).toMatch(/Index Scan using messages_due/);
    expect(plan).toMatch(/Index Cond: .*ROW\(/);
    expect(plan).not.toMatch(/Sort|Seq Scan on messages/);
  });

  it.each([null, 'sent'] as const)('read repeated ones (%s) and nothing else', async (status) => {
    const after = { status: 'sent' as const, id: 5_000 };
    const plan = await planOf((db) =>
      listRepeatedMessages(db, { mailingId, status, after, limit: 50 }),
    );
    expect(plan).toMatch(/Index Scan using messages_repeated/);
    expect(plan).not.toMatch(/Sort|Seq Scan on messages/);
  });

  it('find the message to a phone in the unique index', async () => {
    const query = { mailingId, phone: '79160000000', status: null, repeated: false };
    const plan = await planOf((db) => findMessageByPhone(db, query));
    expect(plan).toMatch(/Index Scan using messages_mailing_id_client_id_key/);
    expect(plan).toMatch(/Index Cond: .*mailing_id = .*client_id = /);
  });

  it('read one message and its attempts by index', async () => {
    expect(await planOf((db) => readMessage(db, 77))).not.toMatch(/Seq Scan on messages/);
    expect(await planOf((db) => readAttempts(db, 77, 10))).toMatch(/delivery_attempts_message_id/);
  });
});
