import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createLogger, systemClock } from '@app/platform';
import {
  createTestDatabase,
  freePort,
  isPostgres15Installed,
  isRedisInstalled,
  sleep,
  startPostgres15,
  startRedis,
  TEST_REDIS,
  type TestDatabase,
  waitFor,
} from '@app/testkit';
import { migrateQueue } from './connections.js';
import { DeliveryConsumers } from './delivery-consumers.js';
import { DeliveryQueues } from './delivery-queues.js';
import { describeLanes } from './lanes.conformance.js';

const logger = createLogger('test', 'silent');

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateQueue(database.url);
});
afterAll(() => database.drop());

async function ask(statement: string): Promise<{ count: number }[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<{ count: number }>(statement)).rows;
  } finally {
    await client.end();
  }
}
const OURS = `FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'posthorn-queue%'`;

describeLanes('Postgres', {
  url: () => database.url,
  connections: async () => (await ask(`SELECT count(*)::int AS count ${OURS}`))[0]?.count ?? 0,
  killBell: async () => {
    await ask(
      `SELECT pg_terminate_backend(pid) ${OURS} AND application_name = 'posthorn-queue-bell'`,
    );
  },
});

const redisUrl = process.env[TEST_REDIS];
if (redisUrl !== undefined) {
  const clients = async (redis: Redis, prefix: string): Promise<string[]> => {
    const list = (await redis.call('CLIENT', 'LIST')) as string;
    return list.split('\n').filter((line) => line.includes(` name=${prefix}:`));
  };
  const withRedis = async <T>(work: (redis: Redis) => Promise<T>): Promise<T> => {
    const redis = new Redis(redisUrl);
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  };
  describeLanes('Redis', {
    url: () => redisUrl,
    connections: (prefix) => withRedis(async (redis) => (await clients(redis, prefix)).length),
    killBell: (prefix) =>
      withRedis(async (redis) => {
        const bells = (await clients(redis, prefix)).filter((line) => line.includes(':bell '));
        for (const bell of bells) {
          await redis.call('CLIENT', 'KILL', 'ID', /id=(\d+)/.exec(bell)?.[1] ?? '');
        }
      }),
  });
}

interface Restartable {
  url: string;
  stop: () => Promise<void>;
  start: () => Promise<void>;
}

async function ownRedis(directory: string): Promise<Restartable> {
  const options = { port: await freePort(), directory, appendonly: true };
  let running = await startRedis(options);
  return {
    url: running.url,
    stop: () => running.stop(),
    start: async () => {
      running = await startRedis(options);
    },
  };
}

async function ownPostgres(directory: string): Promise<Restartable> {
  const options = { port: await freePort(), directory };
  let running = await startPostgres15(options);
  const url = await running.createDatabase('queue');
  await migrateQueue(url);
  return {
    url,
    stop: () => running.stop(),
    start: async () => {
      running = await startPostgres15(options);
    },
  };
}

describe.each([
  ...(isRedisInstalled() ? [['Redis', ownRedis] as const] : []),
  ...(isPostgres15Installed() ? [['Postgres', ownPostgres] as const] : []),
])('%s that is restarted', (_, open) => {
  let directory: string;
  let server: Restartable;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-lanes-'));
    server = await open(directory);
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('strands no job: not those that waited, were in hand, or came after', async () => {
    const { url } = server;
    const options = { url, prefix: 'restarted', logger };
    const queues = new DeliveryQueues(options);
    const consumers = new DeliveryConsumers({ ...options, places: 8, clock: systemClock });
    const handled = new Set<number>();
    const lanes = ['one', 'other', 'idle'];
    for (const lane of lanes) {
      consumers.open(lane, async ({ messageId }) => {
        await sleep(50);
        handled.add(messageId);
        return undefined;
      });
    }
    const feed = (lane: string, first: number, count: number) =>
      queues.open(lane).feed(
        Array.from({ length: count }, (_nothing, nth) => ({ messageId: first + nth, attempts: 0 })),
        0,
      );
    await feed('one', 1, 200);
    await feed('other', 1_001, 200);
    await waitFor(() => Promise.resolve(handled.size > 50), {
      timeoutMs: 10_000,
      what: 'some are handled',
    });
    await server.stop();
    await sleep(3_000);
    await server.start();
    // One whose answer was lost is given back when its lock has run out, at the second look.
    await waitFor(() => Promise.resolve(handled.size === 400), {
      timeoutMs: 110_000,
      what: 'the jobs are handled that waited or were in hand',
    });
    await waitFor(
      () =>
        feed('idle', 5_000, 1).then(
          () => true,
          () => false,
        ),
      {
        timeoutMs: 15_000,
        what: 'the queue takes jobs again',
      },
    );
    await waitFor(() => Promise.resolve(handled.has(5_000)), {
      timeoutMs: 10_000,
      what: 'a new job is handled',
    });
    await consumers.close();
    await queues.close();
  }, 150_000);
});
