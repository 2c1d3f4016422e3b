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
import { findDueRetries, findFresh } from '@app/engine';
import { claimDuePending } from './claim/claim.queries.js';
import {
  closeLockedMessagesOfClient,
  forgetAddressesOfClient,
  lockOpenMessagesOfClient,
} from './client-gone/client-deletion.queries.js';
import { BEGINNING, closePendingOfEnded } from './close/close.queries.js';
import { planChunk } from './plan/plan.queries.js';
import { purgeMessagesOfDeleted } from './purge/purge.queries.js';
import { recordOutcomesIfStillSending } from './record/record.queries.js';
import { reopenChunk } from './reopen/reopen.queries.js';
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
  let client: number;

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
    [{ id: client } = { id: 0 }] = await database.sql<{ id: number }>(
      'SELECT id FROM clients WHERE id % 10 = 0 ORDER BY id DESC LIMIT 1',
    );
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
  afterEach(() => session.query('RESET enable_seqscan'));
  afterAll(async () => {
    session.release(true);
    await database.drop();
  });

  const pendingIds = async (limit: number) => {
    const rows = await database.sql<{ id: number }>(
      `SELECT id FROM messages WHERE mailing_id = $1 AND status = 'pending' AND not_before <= now()
       ORDER BY id LIMIT $2`,
      [mailing, limit],
    );
    return rows.map((row) => row.id);
  };
  const explained = () => plans.join('\n');

  let claims = 0;
  /** Claims and records them, and leaves the plans of the record. @param retried every so many is to be sent again. */
  async function record(count: number, retried: number): Promise<void> {
    const { claimed } = await claimDuePending(session, {
      policy: NOTIFICATION_API_POLICY,
      laneId: 1,
      claimId: ++claims,
      ids: await pendingIds(count),
    });
    expect(claimed).toHaveLength(count);
    plans = [];
    await recordOutcomesIfStillSending(
      session,
      claimed.map(({ id, attempt }, index) => {
        const isRetried = index % retried === 0;
        return {
          id,
          attempt,
          outcome: isRetried ? ('retry' as const) : ('delivered' as const),
          countsAsTry: true,
          delayMs: null,
          durationMs: 1,
          httpStatus: 200,
          code: isRetried ? 'x' : null,
          detail: null,
          excerpt: null,
        };
      }),
      NOTIFICATION_API_POLICY,
    );
  }
  const from = { notBefore: '-infinity', id: 0, zoneId: 1, limit: 100 };

  it.each<[string, () => Promise<unknown>]>([
    [
      'the claim',
      async () =>
        claimDuePending(session, {
          policy: NOTIFICATION_API_POLICY,
          laneId: 1,
          claimId: ++claims,
          ids: await pendingIds(60),
        }),
    ],
    ['the record', () => record(60, 2)],
    ['the record of what was delivered', () => record(60, Infinity)],
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
    ['the reopening', () => reopenChunk(session, mailing, 'failed', null, 1_000)],
    [
      'the deletion of a client',
      async () => {
        const ids = await lockOpenMessagesOfClient(session, client);
        await closeLockedMessagesOfClient(session, ids);
        await forgetAddressesOfClient(session, client);
      },
    ],
    [
      'the purge',
      async () => {
        await session.query('SET enable_seqscan = off'); // as the engine's sessions have it
        await database.sql('UPDATE mailings SET deleted_at = now() WHERE id = $1', [mailing]);
        const { rows } = await purgeMessagesOfDeleted(session, mailing, { limit: 1_000 });
        expect(rows).toBe(1_000);
      },
    ],
  ])('%s finds its messages by index', async (_, run) => {
    await run();
    expect(explained()).toMatch(/Index (Only )?Scan.* on messages|Bitmap Heap Scan on messages/);
    expect(explained()).not.toMatch(/Seq Scan on messages/);
  });

  it('planning finds its clients by index, and reads no messages', async () => {
    const id = await addMailing(database.dataSource, { status: 'scheduled' });
    const filter = { operatorCodes: [], tags: [], phones: [] };
    const planMaxClientId = Number.MAX_SAFE_INTEGER;
    await openSlots(database.dataSource, id);
    const unplanned = { id, status: 'running', filter, planCursor: 0, planMaxClientId } as const;
    expect(await planChunk(session, unplanned, { limit: 100 })).toMatchObject({
      inserted: 100,
    });
    expect(explained()).toMatch(/Index (Only )?Scan.* on clients/);
    expect(explained()).not.toMatch(/Seq Scan on (messages|clients)\b/);
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
