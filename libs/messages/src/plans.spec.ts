import { NOTIFICATION_API_POLICY } from '@app/channels';
import { poolOf } from '@app/database';
import {
  addMailing,
  addManyClients,
  createTestDatabase,
  openSlots,
  type TestDatabase,
} from '@app/testkit';
import type pg from 'pg';
import { claimDuePending } from './claim/claim.queries.js';
import { recordOutcomesIfStillSending } from './record/record.queries.js';
import { findDueRetries, findFresh } from '@app/engine';
import { BEGINNING, closePendingOfEnded } from './close/close.queries.js';
import { findExpiredLeases } from './sweep/sweep.queries.js';

const MESSAGES = 200_000;

/**
 * The hot statements, explained while they run, with the planner's own settings and true statistics:
 * none of them may read the table of messages from end to end.
 */
describe('with many messages', () => {
  let database: TestDatabase;
  let session: pg.PoolClient;
  let plans: string[];
  let mailing: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.sql(`
      INSERT INTO clients (phone, operator_code, timezone)
      SELECT '79' || lpad(i::text, 9, '0'), '900', 'Europe/Moscow' FROM generate_series(1, ${MESSAGES / 4}) i`);
    for (let index = 0; index < 4; index++) {
      mailing = await addMailing(database.dataSource);
      await database.sql(
        `INSERT INTO messages (mailing_id, client_id, zone_id, status, attempts, tries, sent_at)
         SELECT $1, id, zone_id,
           (CASE WHEN id % 10 = 0 THEN 'pending' ELSE 'sent' END)::message_status,
           (id % 10 <> 0)::int, (id % 10 <> 0)::int, CASE WHEN id % 10 <> 0 THEN now() END
         FROM clients`,
        [mailing],
      );
      await database.sql(
        `UPDATE mailing_counters k SET total = c.total, pending = c.pending, sent = c.total - c.pending
         FROM (SELECT count(*) AS total, count(*) FILTER (WHERE status = 'pending') AS pending
           FROM messages WHERE mailing_id = $1) c
         WHERE k.mailing_id = $1`,
        [mailing],
      );
      await openSlots(database.dataSource, mailing);
    }
    await database.sql('ANALYZE');
    session = await poolOf(database.dataSource).connect();
    await session.query(`
      LOAD 'auto_explain';
      SET auto_explain.log_min_duration = 0;
      SET auto_explain.log_nested_statements = on;
      SET client_min_messages = log`);
    session.on('notice', (notice) => plans.push(notice.message ?? ''));
  }, 120_000);
  beforeEach(() => {
    plans = [];
  });
  afterAll(async () => {
    session.release(true);
    await database.drop();
  });

  const pendingIds = async (limit: number) => {
    const rows = await database.sql<{ id: number }>(
      `SELECT id FROM messages WHERE mailing_id = $1 AND status = 'pending' ORDER BY id LIMIT $2`,
      [mailing, limit],
    );
    return rows.map((row) => row.id);
  };
  const explained = () => plans.join('\n');
  const from = { notBefore: '-infinity', id: 0, zoneId: 1, limit: 100 };

  it.each<[string, () => Promise<unknown>]>([
    [
      'the claim',
      async () =>
        claimDuePending(session, {
          policy: NOTIFICATION_API_POLICY,
          laneId: 1,
          claimId: 1,
          ids: await pendingIds(60),
        }),
    ],
    [
      'the record',
      async () => {
        const ids = await pendingIds(60);
        const { claimed } = await claimDuePending(session, {
          policy: NOTIFICATION_API_POLICY,
          laneId: 1,
          claimId: 2,
          ids,
        });
        expect(claimed).toHaveLength(60);
        plans = [];
        await recordOutcomesIfStillSending(
          session,
          claimed.map(({ id, attempt }, index) => ({
            id,
            attempt,
            outcome: index % 2 === 0 ? ('delivered' as const) : ('retry' as const),
            countsAsTry: true,
            delayMs: null,
            durationMs: 1,
            httpStatus: 200,
            code: index % 2 === 0 ? null : 'x',
            detail: null,
            excerpt: null,
          })),
          NOTIFICATION_API_POLICY,
        );
      },
    ],
    ['the look for fresh messages', () => findFresh(session, [{ mailingId: mailing, ...from }])],
    ['the look for due retries', () => findDueRetries(session, [{ mailingId: mailing, ...from }])],
    ['the look for expired leases', () => findExpiredLeases(session, 100)],
    [
      'the closing',
      async () => {
        await database.sql(`UPDATE mailings SET status = 'cancelled' WHERE id = $1`, [mailing]);
        const { closed } = await closePendingOfEnded(session, mailing, { limit: 1_000 }, BEGINNING);
        expect(closed).toBe(1_000);
        expect(explained()).toMatch(/Tid Scan on messages/);
      },
    ],
  ])('%s finds its messages by index', async (_, run) => {
    await run();
    expect(explained()).toMatch(/Index (Only )?Scan.* on messages|Bitmap Heap Scan on messages/);
    expect(explained()).not.toMatch(/Seq Scan on messages/);
  });

  it('would show a reading from end to end', async () => {
    await session.query('SELECT count(*) FROM messages WHERE latency_ms = 1');
    expect(explained()).toMatch(/Seq Scan on messages/);
  });
});

/**
 * A worker's plans are made when the first mailings are sent, and kept. Nobody has analysed the tables
 * then: for the planner they are as good as empty.
 */
describe('with tables that nobody has analysed', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('the claim finds its messages by their ids', async () => {
    await addManyClients(database.dataSource, 200);
    const mailing = await addMailing(database.dataSource);
    const rows = await database.sql<{ id: number }>(
      `INSERT INTO messages (mailing_id, client_id, zone_id)
       SELECT $1, id, zone_id FROM clients ORDER BY id RETURNING id`,
      [mailing],
    );
    await database.sql(
      'UPDATE mailing_counters SET total = 200, pending = 200 WHERE mailing_id = $1',
      [mailing],
    );
    await openSlots(database.dataSource, mailing);
    const ids = rows.map(({ id }) => id);
    const plans: string[] = [];
    const session = await poolOf(database.dataSource).connect();
    try {
      await session.query(`
        LOAD 'auto_explain';
        SET auto_explain.log_min_duration = 0;
        SET auto_explain.log_nested_statements = on;
        SET enable_seqscan = off;
        SET client_min_messages = log`);
      session.on('notice', (notice) => plans.push(notice.message ?? ''));
      // Five plans are made for the values at hand; the next one is for all values.
      for (let claimId = 1; claimId <= 7; claimId++) {
        const { claimed } = await claimDuePending(session, {
          policy: NOTIFICATION_API_POLICY,
          laneId: 1,
          claimId,
          ids: ids.splice(0, 20),
        });
        expect(claimed).toHaveLength(20);
      }
    } finally {
      session.release(true);
    }
    const looks = plans.filter((plan) => plan.includes('FOR UPDATE OF m SKIP LOCKED'));
    expect(looks).toHaveLength(7);
    for (const look of looks) expect(look).toContain('messages_pkey');
  });
});
