import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Queue } from 'bullmq';
import pg from 'pg';
import { createLogger, systemClock } from '@app/platform';
import { createTestDatabase, type TestDatabase } from '@app/testkit';
import { migrateQueue } from '../connections.js';
import { DeliveryQueues } from '../delivery-queues.js';
import { SharedBackend } from '../shared-backend.js';
import { isLost } from './lane-store.js';
import { Completions, PostgresStore } from './postgres-store.js';

/** Of the functions that our own statements call, in the version that package.json pins. */
const READ_AND_UNDERSTOOD = {
  version: '6.7.0',
  digest: 'dde5f9d99f3e6a7c624c4e300e41b4f70e5137038b6bb44edb9a4ea2de7b035a',
};

let database: TestDatabase;
let shared: SharedBackend;
let queues: DeliveryQueues;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateQueue(database.url);
  const options = { url: database.url, prefix: 'test' };
  shared = new SharedBackend({ ...options, purpose: 'taking' });
  queues = new DeliveryQueues({ ...options, logger: createLogger('test', 'silent') });
});
afterAll(async () => {
  await queues.close();
  await shared.close();
  await database.drop();
});

describe('the functions of the client library that are called past its API', () => {
  it('are those that were read: another version has to be read again', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ name: string; source: string }>(
      `SELECT proname AS name, prosrc AS source
       FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
       WHERE nspname = 'bullmq' AND proname IN
         ('move_to_active', 'move_to_completed', 'next_signal', 'next_delay', 'apply_retention',
          'publish_event')
       ORDER BY 1`,
    );
    await client.end();
    expect(rows).toHaveLength(6);
    const text = rows.map(({ name, source }) => `${name}\n${source}`).join('\n');
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect({
      version: manifest.dependencies.bullmq,
      digest: createHash('sha256').update(text).digest('hex'),
    }).toEqual(READ_AND_UNDERSTOOD);
  });
});

describe('a batch in PostgreSQL', () => {
  async function laneWith(jobs: number) {
    const lane = `batch-${randomUUID()}`;
    const items = Array.from({ length: jobs }, (_, nth) => ({ messageId: nth + 1, attempts: 0 }));
    await queues.open(lane).feed(items, 0);
    const completions = new Completions(shared, systemClock);
    return { lane, store: new PostgresStore(shared, lane, 'test', systemClock, completions) };
  }

  it('takes the oldest jobs in their order, and says when there are no more', async () => {
    const { store } = await laneWith(5);
    const first = await store.take(3);
    expect(first.jobs.map(({ id }) => id)).toEqual(['1-0', '2-0', '3-0']);
    const rest = await store.take(3);
    expect(rest.jobs.map(({ id }) => id)).toEqual(['4-0', '5-0']);
    expect(await store.take(3)).toEqual({ jobs: [], delayUntil: 0 });
  });

  it('says when the next delayed job is due', async () => {
    const { store } = await laneWith(1);
    const { jobs } = await store.take(1);
    const before = Date.now();
    for (const job of jobs) await store.putOff(job, 60_000);
    const { delayUntil } = await store.take(1);
    expect(delayUntil).toBeGreaterThanOrEqual(before + 60_000);
    expect(delayUntil).toBeLessThan(before + 70_000);
  });

  it('completes all but the job that somebody else has, and leaves nothing of them', async () => {
    const { lane, store } = await laneWith(3);
    const { jobs } = await store.take(3);
    const stolen = jobs.map((job, nth) => (nth === 1 ? { ...job, token: 'of another' } : job));
    const ends = await Promise.allSettled(stolen.map((job) => store.complete(job)));
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(ends.map((end) => 'reason' in end && isLost(end.reason))).toEqual([false, true, false]);
    const queue: Queue = shared.queue(lane);
    expect(await queue.getJobCounts('active', 'completed', 'waiting')).toMatchObject({
      active: 1,
      completed: 0,
      waiting: 0,
    });
  });
});
