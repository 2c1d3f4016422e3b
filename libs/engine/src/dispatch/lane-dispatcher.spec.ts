import { poolOf, type Queryable } from '@app/database';
import { type Clock, createLogger } from '@app/platform';
import {
  addMailing,
  addManyClients,
  addMessages,
  createTestDatabase,
  type MailingSeed,
  openSlots,
  type TestDatabase,
} from '@app/testkit';
import { readLanes } from './dispatch.queries.js';
import { FakeQueue } from './fake-queue.js';
import { LaneDispatcher } from './lane-dispatcher.js';
import { OpenMailings } from './open-mailings.js';

describe('dispatching', () => {
  let database: TestDatabase;
  let db: Queryable;
  let queue: FakeQueue;
  let now: number;
  let isAway = false;
  let dispatcher: LaneDispatcher;
  let mailings: OpenMailings;
  const sql = <Row = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    database.sql<Row>(text, values);
  const clock: Clock = { now: () => new Date(now), monotonic: () => now };
  const CONCURRENCY = 10;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = poolOf(database.dataSource);
    await addManyClients(database.dataSource, 1_000);
  });
  beforeEach(async () => {
    await sql('TRUNCATE messages, mailings, mailing_counters, mailing_slots CASCADE');
    await sql(
      `UPDATE lanes SET state = 'closed', paused_until = NULL, probe_at = NULL, rate_per_second = NULL`,
    );
    queue = new FakeQueue();
    now = 1_000_000;
    mailings = new OpenMailings(db, clock);
    dispatcher = new LaneDispatcher({
      db,
      read: {
        query: (statement) =>
          isAway ? Promise.reject(new Error('the database is away')) : db.query(statement),
      },
      queue: queue.asQueue,
      concurrency: CONCURRENCY,
      clock,
      logger: createLogger('test', 'silent'),
    });
  });
  afterAll(() => database.drop());

  async function mailing(count: number, seed: MailingSeed = {}): Promise<number> {
    const id = await addMailing(database.dataSource, seed);
    await sql(
      `INSERT INTO messages (mailing_id, client_id, zone_id)
       SELECT $1, id, zone_id FROM clients ORDER BY id LIMIT $2`,
      [id, count],
    );
    await sql(
      'UPDATE mailing_counters SET total = $2::int, pending = $2::int WHERE mailing_id = $1',
      [id, count],
    );
    await openSlots(database.dataSource, id);
    return id;
  }
  async function run(): Promise<number | undefined> {
    const [lane] = await readLanes(db);
    if (!lane) throw new Error('no lane');
    mailings.changed();
    return dispatcher.run(lane, await mailings.read());
  }
  /** Workers take jobs and the messages leave `pending`. */
  async function work(count: number): Promise<void> {
    await take(queue.waitingJobs.splice(0, count).map((job) => job.messageId));
  }
  async function take(taken: number[]): Promise<void> {
    await sql(
      `UPDATE messages SET status = 'sent', sent_at = now(), attempts = 1, tries = 1 WHERE id = ANY ($1)`,
      [taken],
    );
  }
  const byMailing = async (): Promise<Record<number, number>> => {
    const ids = queue.waitingJobs.map((job) => job.messageId);
    const rows: { mailing_id: number; n: number }[] = await sql(
      'SELECT mailing_id, count(*) AS n FROM messages WHERE id = ANY ($1) GROUP BY 1',
      [ids],
    );
    return Object.fromEntries(rows.map((row) => [row.mailing_id, row.n]));
  };

  it('keeps no more than the look-ahead in the queue, however large the mailing', async () => {
    await mailing(1_000);
    for (let pass = 0; pass < 5; pass++, now += 50) await run();
    expect(queue.waitingJobs).toHaveLength(2 * CONCURRENCY);
    expect(new Set(queue.waitingJobs.map((job) => job.messageId)).size).toBe(2 * CONCURRENCY);
  });

  it('looks further ahead when the workers are faster', async () => {
    await mailing(1_000);
    for (let pass = 0; pass < 20; pass++) {
      await run();
      await work(20);
      now += 50;
    }
    await run();
    expect(queue.waitingJobs.length).toBeGreaterThan(4 * CONCURRENCY);
  });

  it('feeds each message once while it is in the queue', async () => {
    await mailing(30);
    const fed: number[] = [];
    for (let pass = 0; pass < 40; pass++) {
      await run();
      fed.push(...queue.waitingJobs.map((job) => job.messageId));
      await work(queue.waitingJobs.length);
      now += 500;
    }
    expect([...fed].sort((a, b) => a - b)).toEqual([...new Set(fed)].sort((a, b) => a - b));
    expect(fed).toHaveLength(30);
  });

  it('continues at once behind the end of its scan when more is planned', async () => {
    const id = await mailing(10);
    await run();
    expect(queue.waitingJobs).toHaveLength(10);
    await run(); // comes to the end
    await addMessages(
      database.dataSource,
      id,
      Array.from({ length: 5 }, () => ({ status: 'pending' })),
    );
    await sql('UPDATE mailing_counters SET total = 15, pending = 15 WHERE mailing_id = $1', [id]);
    await run();
    expect(queue.waitingJobs).toHaveLength(15);
  });

  it('finds again what the queue lost', async () => {
    await mailing(5);
    await run();
    queue.waitingJobs = [];
    now += 1_001;
    await run();
    expect(queue.waitingJobs).toHaveLength(5);
  });

  it('finds much again as fast as the workers take it, not one look-ahead each second', async () => {
    await mailing(1_000);
    for (let pass = 0; pass < 12; pass++, now += 50) await run().then(() => work(40));
    await run();
    const lost = queue.waitingJobs.length;
    // Nothing leaves the queue meanwhile, so that it is taken for slow.
    for (let pass = 0; pass < 30; pass++, now += 40) await run();
    queue.waitingJobs = [];
    now += 10_000;
    const found = new Set<number>();
    for (let pass = 0; pass < 50; pass++, now += 40) {
      await run();
      for (const { messageId } of queue.waitingJobs) found.add(messageId);
      await work(queue.waitingJobs.length);
    }
    expect([lost > 10 * CONCURRENCY, found.size >= lost]).toEqual([true, true]);
  });

  it('finds again what it could not feed', async () => {
    await mailing(5);
    queue.isDown = true;
    await expect(run()).rejects.toThrow('down');
    queue.isDown = false;
    await run();
    expect(queue.waitingJobs).toHaveLength(5);
  });

  it('feeds nothing twice when something is changed all the time', async () => {
    const id = await mailing(200);
    const other = await mailing(1);
    const fed: number[] = [];
    for (let pass = 0; pass < 60; pass++) {
      if (pass % 2 === 0)
        await sql('UPDATE mailings SET updated_at = now() WHERE id = $1', [other]);
      mailings.changed();
      await run();
      fed.push(...queue.waitingJobs.splice(0, 5).map((job) => job.messageId));
      await take(fed.slice(-5));
      now += 40;
    }
    expect(new Set(fed).size).toBe(fed.length);
    expect(fed.length).toBeGreaterThan(190);
    expect(queue.ignored).toBe(0);
    expect(await sql('SELECT count(*) AS n FROM messages WHERE mailing_id = $1', [id])).toEqual([
      { n: 200 },
    ]);
  });

  it('feeds again soon what a claim refused while its mailing was changed', async () => {
    const id = await mailing(5);
    await run();
    queue.waitingJobs = []; // refused: its hours were being computed
    await sql('UPDATE mailings SET updated_at = clock_timestamp() WHERE id = $1', [id]);
    await mailing(100); // so that the queue is never empty
    await run();
    now += 1_500;
    await run();
    now += 300;
    await run();
    expect((await byMailing())[id]).toBe(5);
  });

  it('starts again with a mailing that was reopened between two looks', async () => {
    const id = await mailing(5);
    await run();
    await work(5);
    await mailing(100);
    await run();
    await sql(`UPDATE messages SET status = 'pending', sent_at = NULL WHERE mailing_id = $1`, [id]);
    await sql('UPDATE mailings SET updated_at = clock_timestamp() WHERE id = $1', [id]);
    queue.waitingJobs = [];
    await run();
    expect((await byMailing())[id]).toBe(5);
  });

  it('keeps what it knows when the database does not answer', async () => {
    await mailing(30);
    await run();
    await take(queue.waitingJobs.splice(0, 20).map((job) => job.messageId));
    isAway = true;
    await expect(run()).rejects.toThrow('the database is away');
    isAway = false;
    await run();
    expect(queue.waitingJobs).toHaveLength(10);
    expect(queue.ignored).toBe(0);
  });

  it('shares the room between mailings, so that a small one does not wait for a huge one', async () => {
    const huge = await mailing(900);
    await run();
    queue.waitingJobs = [];
    const small = await mailing(8);
    await run();
    const shares = await byMailing();
    expect(shares[small]).toBe(8);
    expect(shares[huge]).toBeGreaterThan(0);
  });

  it('lets retries that are due go first, but only into a fifth of the room', async () => {
    const id = await mailing(500);
    await sql(
      `UPDATE messages SET not_before = now() - interval '1 s', attempts = 1, tries = 1
       WHERE mailing_id = $1 AND id IN (SELECT id FROM messages WHERE mailing_id = $1 ORDER BY id DESC LIMIT 100)`,
      [id],
    );
    await run();
    const attempts = queue.waitingJobs.map((job) => job.attempts);
    expect(attempts.filter((n) => n === 1)).toHaveLength(4);
    expect(attempts.filter((n) => n === 0)).toHaveLength(16);
    expect(attempts.slice(0, 4)).toEqual([1, 1, 1, 1]);
  });

  it('leaves alone what is not due, paused or outside its slot', async () => {
    const later = await mailing(3);
    await sql(`UPDATE messages SET not_before = now() + interval '1 min' WHERE mailing_id = $1`, [
      later,
    ]);
    await mailing(3, { status: 'paused' });
    const closed = await mailing(3);
    await sql(
      `UPDATE mailing_slots SET opens_at = now() + interval '30 min' WHERE mailing_id = $1`,
      [closed],
    );
    await run();
    expect(queue.waitingJobs).toEqual([]);
  });

  it('starts a resumed mailing from its beginning', async () => {
    const id = await mailing(5);
    await run();
    await sql(`UPDATE mailings SET status = 'paused' WHERE id = $1`, [id]);
    queue.waitingJobs = []; // the claims refused them
    await run();
    await sql(`UPDATE mailings SET status = 'running' WHERE id = $1`, [id]);
    await run();
    expect(queue.waitingJobs).toHaveLength(5);
  });

  it('feeds a mailing with a rate no faster than that', async () => {
    await mailing(500, { ratePerSecond: 5 });
    let fed = 0;
    for (let pass = 0; pass < 100; pass++) {
      await run();
      fed += queue.waitingJobs.length;
      await work(queue.waitingJobs.length);
      now += 100;
    }
    expect(fed).toBeGreaterThan(45);
    expect(fed).toBeLessThan(80);
  });

  it('feeds nothing through an open breaker but its one probe', async () => {
    await mailing(5);
    await sql(
      `UPDATE lanes SET state = 'open', generation = 3, probe_at = now() + interval '1 min'`,
    );
    await run();
    expect([queue.waitingJobs, queue.probes]).toEqual([[], []]);
    await sql('UPDATE lanes SET probe_at = now()');
    await run();
    await run();
    expect(queue.waitingJobs).toEqual([]);
    expect(queue.probes).toEqual([{ messageId: expect.any(Number) as number, probe: 4 }]);
  });

  it('feeds nothing while the provider asked for a pause', async () => {
    await mailing(5);
    await sql(`UPDATE lanes SET paused_until = now() + interval '1 min'`);
    await run();
    expect(queue.waitingJobs).toEqual([]);
  });
});
