import { openSession, prepareSession, type SessionSettings } from '@app/database';
import {
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  runMigrations,
} from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import pg from 'pg';

/** Tables of the queue's own, beside ours when both live in one database. */
const SCHEMA = 'bullmq';

export function isPostgres(url: string): boolean {
  return url.startsWith('postgres:') || url.startsWith('postgresql:');
}

/**
 * `feeding` fails at once while the backend is away, instead of piling up commands; `taking` waits for
 * it to come back.
 */
export type Purpose = 'feeding' | 'taking';

/** Options of every queue of a connection: further backends use the options of the first. */
const SHARED = {
  lockDuration: 30_000,
  stalledInterval: 30_000,
  maxStalledCount: 100,
  removeOnComplete: { count: 0 },
  /** Failed jobs that stay for the inspector. */
  removeOnFail: { count: 1_000 },
};
/** Lock of a job, ms: so long no other worker takes it; longer when its lock is renewed. */
export const LOCK_MS = SHARED.lockDuration;
/** How often jobs of dead workers are looked for, ms. */
export const STALLED_CHECK_MS = SHARED.stalledInterval;

/** One connection to Redis, or one pool to PostgreSQL, with the first of the backends that use it. */
export interface Connection {
  root: IQueueBackend;
  /** The connection itself, for what the client library has no call for. */
  redis?: Redis;
  pool?: pg.Pool;
  /** It is away, and comes back by itself: what waits for an answer gets it then. */
  isComingBack(): boolean;
  /** Closes it, whatever state it is in: what waits for an answer is rejected, at once or in time. */
  end(): Promise<void>;
}

/** The scheme of the URL chooses the backend; everything above sees one interface. */
export function connect(url: string, prefix: string, purpose: Purpose): Connection {
  return isPostgres(url) ? connectPostgres(url, purpose) : connectRedis(url, prefix, purpose);
}

/**
 * States of the client library. Ended in one of these it emits no event, and its calls wait for
 * ever.
 */
const COMING_BACK = new Set(['wait', 'connecting', 'reconnecting', 'close']);

/** No queue has this name. */
const ROOT = 'root';

function connectRedis(url: string, prefix: string, purpose: Purpose): Connection {
  // The connection is ours: the client library would keep reconnecting a queue that was closed
  // before its first answer.
  const connectionName = `${prefix}:${purpose}`;
  const redis = openRedis(
    url,
    purpose === 'taking'
      ? { connectionName, maxRetriesPerRequest: null }
      : { connectionName, enableOfflineQueue: false, maxRetriesPerRequest: 0 },
  );
  const options = { ...SHARED, prefix, connection: redis };
  const root = createRedisBackend(ROOT, options);
  return {
    root,
    redis,
    isComingBack: () => COMING_BACK.has(redis.status),
    end: () => {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}

function connectPostgres(url: string, purpose: Purpose): Connection {
  const pool = openPool(url, purpose === 'taking' ? 10 : 4);
  const root = createPostgresBackend(ROOT, { ...SHARED, connection: pool });
  // The client library ends no pool that it was given: this one has prepared sessions.
  return { root, pool, isComingBack: () => false, end: () => pool.end() };
}

/**
 * A connection that was lost without an error is noticed by the callers that wait for an answer, each
 * with a limit of its own: a timer of the client's for each command cost a tenth of the feeding.
 */
export function openRedis(url: string, options: RedisOptions): Redis {
  const redis = new Redis(url, {
    connectTimeout: 3_000,
    keepAlive: 5_000,
    retryStrategy: (times: number) => Math.min(times * 100, 2_000),
    ...options,
  });
  redis.on('error', () => undefined); // who uses it listens as well
  return redis;
}

/** The queue's tables, where the backend has any. Safe to run at any time, by several at once. */
export async function migrateQueue(url: string): Promise<void> {
  if (!isPostgres(url)) return;
  const client = await openSession(url, 'migrate', { statementTimeoutMs: 0, ownSession: true });
  try {
    await runMigrations(client, SCHEMA);
  } finally {
    await client.end();
  }
}

/** No statement of the queue takes longer, ms. */
const QUERY_LIMIT_MS = 30_000;

/**
 * It finds its tables by the search path. The queue is a hint that beat can give again: what a crash
 * of the server loses of it is given again.
 */
const SESSION: SessionSettings = {
  statementTimeoutMs: QUERY_LIMIT_MS,
  idleInTransactionMs: QUERY_LIMIT_MS,
  ownSession: true,
  more: { search_path: SCHEMA, synchronous_commit: 'off' },
};

function openPool(url: string, max: number): pg.Pool {
  return new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    query_timeout: QUERY_LIMIT_MS,
    application_name: 'posthorn-queue',
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for it, which its types do not say
    onConnect: (client) => prepareSession(client, url, SESSION),
  });
}
