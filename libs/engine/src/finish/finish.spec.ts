import pg from 'pg';
import { poolOf, type Queryable } from '@app/database';
import { createLogger } from '@app/platform';
import {
  addClients,
  addMailing,
  addMessages,
  countersAndRows,
  createTestDatabase,
  type MailingSeed,
  type MessageSeed,
  type TestDatabase,
} from '@app/testkit';
import { FinishService } from './finish.service.js';

describe('the end of a mailing', () => {
  let database: TestDatabase;
  let db: Queryable;
  let finish: FinishService;
  const sql = <Row = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    database.sql<Row>(text, values);

  beforeAll(async () => {
    database = await createTestDatabase();
    db = poolOf(database.dataSource);
    finish = new FinishService(db, createLogger('test', 'silent'));
  });
  beforeEach(() =>
    sql('TRUNCATE messages, mailings, mailing_contents, mailing_counters, delivery_attempts'),
  );
  afterAll(() => database.drop());

  async function mailing(messages: MessageSeed[], seed: MailingSeed = {}): Promise<number> {
    const id = await addMailing(database.dataSource, seed);
    await addMessages(database.dataSource, id, messages);
    await sql('UPDATE mailings SET finished_at = NULL');
    return id;
  }
  const mailings = (): Promise<unknown[]> =>
    sql('SELECT status, finished_at IS NOT NULL AS finished FROM mailings ORDER BY id');
  async function endAll(): Promise<void> {
    while ((await finish.end()) === 'more');
  }

  it('flips the status at once and expires what is pending, but keeps a doubt', async () => {
    const id = await mailing(
      [
        { status: 'pending' },
        { status: 'pending', attempts: 1, unconfirmed: true },
        { status: 'sent' },
      ],
      { endsIn: -0.001 },
    );
    await endAll();
    const state = await countersAndRows(database.dataSource, id);
    expect(state.rows).toEqual({ expired: 1, unknown: 1, sent: 1 });
    expect(state.counters).toEqual(state.rows);
    expect(await mailings()).toEqual([{ status: 'completed', finished: true }]);
  });

  it('waits with the finish for what is still being sent', async () => {
    const id = await mailing([{ status: 'pending' }, { status: 'sending' }], { endsIn: -0.001 });
    await endAll();
    expect((await countersAndRows(database.dataSource, id)).rows).toEqual({
      expired: 1,
      sending: 1,
    });
    expect(await mailings()).toEqual([{ status: 'completed', finished: false }]);
  });

  it('expires a retry that came back after the end', async () => {
    const id = await mailing([{ status: 'pending', attempts: 1, notBeforeIn: 5 }], {
      status: 'completed',
    });
    await endAll();
    expect((await countersAndRows(database.dataSource, id)).rows).toEqual({ expired: 1 });
  });

  it('cancels what a cancelled mailing had pending', async () => {
    const id = await mailing([{ status: 'pending' }, { status: 'failed' }], {
      status: 'cancelled',
    });
    await endAll();
    const state = await countersAndRows(database.dataSource, id);
    expect(state.rows).toEqual({ cancelled: 1, failed: 1 });
    expect(state.counters).toEqual(state.rows);
    expect(await mailings()).toEqual([{ status: 'cancelled', finished: true }]);
  });

  it('completes a mailing before its end when nothing is left to do', async () => {
    await mailing([{ status: 'sent' }, { status: 'failed' }]);
    await endAll();
    expect(await mailings()).toEqual([{ status: 'completed', finished: true }]);
  });

  it('does not complete what is not planned to its end', async () => {
    await mailing([{ status: 'sent' }]);
    await sql('UPDATE mailing_counters SET planned = false');
    await endAll();
    expect(await mailings()).toEqual([{ status: 'running', finished: false }]);
  });

  it.each<[string, MessageSeed[]]>([
    ['last', [{ status: 'sent' }, { status: 'sending' }]],
    ['idle', [{ status: 'pending' }, { status: 'sending' }]],
    ['idle', [{ status: 'sent' }]],
  ])('says %s of %j, so that the last record is soon followed by the end', async (soon, rows) => {
    await mailing(rows);
    expect(await finish.end()).toBe(soon);
  });

  /** More than one chunk, in two zones. */
  async function largeMailing(): Promise<number> {
    const id = await mailing([], { endsIn: -0.001 });
    await sql(
      `INSERT INTO messages (mailing_id, client_id, zone_id) SELECT $1, i, 1 + i % 2 FROM generate_series(1, 25000) i`,
      [id],
    );
    await sql('UPDATE mailing_counters SET total = 25000, pending = 25000');
    return id;
  }

  it('takes 25,000 pending rows in chunks', async () => {
    const id = await largeMailing();
    expect(await finish.end()).toBe('more');
    await endAll();
    const state = await countersAndRows(database.dataSource, id);
    expect(state.rows).toEqual({ expired: 25_000 });
    expect(state.counters).toEqual(state.rows);
  });

  it('comes back for a row that somebody else held when it passed', async () => {
    const id = await largeMailing();
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('BEGIN');
    await other.query('SELECT FROM messages WHERE zone_id = 1 ORDER BY id LIMIT 1 FOR UPDATE');
    await endAll();
    expect((await countersAndRows(database.dataSource, id)).rows).toEqual({
      expired: 24_999,
      pending: 1,
    });
    await other.end();
    await endAll();
    const state = await countersAndRows(database.dataSource, id);
    expect(state.rows).toEqual({ expired: 25_000 });
    expect(state.counters).toEqual(state.rows);
  });

  it('leaves the session as durable as it was', async () => {
    await largeMailing();
    const session = new pg.Client({ connectionString: database.url });
    await session.connect();
    await session.query('SET synchronous_commit = on');
    await new FinishService(session, createLogger('test', 'silent')).end();
    const { rows } = await session.query('SHOW synchronous_commit');
    await session.end();
    expect(rows).toEqual([{ synchronous_commit: 'on' }]);
  });

  describe('sweeping leases', () => {
    it('takes a lost message back as unconfirmed, bound to where it went, and retries it', async () => {
      const [client = 0] = await addClients(database.dataSource, [{ phone: '79995554433' }]);
      const id = await mailing([
        { status: 'sending', clientId: client, tries: 0, address: '79995554432' },
      ]);
      await sql(`UPDATE messages SET lease_until = now() - interval '1 s'`);
      expect(await finish.sweep()).toBe(1);
      const state = await countersAndRows(database.dataSource, id);
      expect(state.rows).toEqual({ pending: 1 });
      expect(state.counters).toEqual(state.rows);
      expect(await sql('SELECT unconfirmed, tries, address FROM messages')).toEqual([
        { unconfirmed: true, tries: 1, address: '79995554432' },
      ]);
      expect(await sql('SELECT outcome, error_code FROM delivery_attempts')).toEqual([
        { outcome: 'unknown', error_code: 'lease_expired' },
      ]);
    });

    it('leaves a lease alone that is still good', async () => {
      await mailing([{ status: 'sending' }]);
      expect(await finish.sweep()).toBe(0);
    });
  });

  it('purges a deleted mailing and nothing else', async () => {
    const gone = await mailing([{ status: 'sent' }, { status: 'failed' }]);
    const kept = await mailing([{ status: 'sent' }]);
    await sql(
      `INSERT INTO delivery_attempts (message_id, attempt, at, outcome, error_code)
       SELECT id, 1, now(), 'rejected', 'x' FROM messages WHERE mailing_id = $1`,
      [gone],
    );
    await sql('UPDATE mailings SET deleted_at = now() WHERE id = $1', [gone]);
    await sql('DELETE FROM mailing_counters WHERE mailing_id = $1', [gone]);
    while (await finish.purge());
    expect(await sql('SELECT mailing_id FROM messages')).toEqual([{ mailing_id: kept }]);
    expect(await sql('SELECT id FROM mailings')).toEqual([{ id: kept }]);
    expect(await sql('SELECT 1 FROM delivery_attempts')).toEqual([]);
    expect(await sql('SELECT mailing_id FROM mailing_contents')).toEqual([{ mailing_id: kept }]);
  });
});
