import { openSession, prepareSession, type SessionSettings } from '@app/database';
import {
  createPostgresBackend,
  Queue,
  runMigrations,
  Worker,
  type Processor,
  type QueueOptions,
  type WorkerOptions,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { bounded } from './bounded.js';

/** Tables of the queue's own, beside ours when both live in one database. */
const SCHEMA = 'bullmq';

export function isPostgres(url: string): boolean {
  return url.startsWith('postgres:') || url.startsWith('postgresql:');
}

/** In PostgreSQL the schema takes its place: a queue there is for one installation. */
interface Prefixed {
  /** What tells this installation's keys in Redis from another one's: `readQueuePrefix`. */
  prefix: string;
}

/** A queue, and how to let go of it even when its backend never answered. */
export interface OpenQueue {
  queue: Queue;
  close(): Promise<void>;
}

const CLOSE_LIMIT_MS = 2_000;
const RETRY_MS = 500;

/**
 * The producing end. The scheme of the URL chooses the backend; everything above sees one queue
 * (the cast only forgets which). It fails at once while the backend is away, instead of piling up
 * commands.
 */
export function createQueue(
  name: string,
  url: string,
  options: Omit<QueueOptions, 'connection'> & Prefixed,
): OpenQueue {
  if (isPostgres(url)) {
    const queue = new Queue(
      name,
      { ...options, connection: postgres(url, 4) },
      owningBackend,
    ) as unknown as Queue;
    return { queue, close: () => bounded(queue.close(), CLOSE_LIMIT_MS) };
  }
  // The connection is ours: the client library would go on reconnecting a queue that was closed
  // before its first answer.
  const connection = new Redis(url, {
    ...REDIS_OPTIONS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  });
  connection.on('error', () => undefined); // the queue reports it
  const queue = new Queue(name, { ...options, connection });
  return {
    queue,
    close: async () => {
      try {
        await bounded(queue.close(), CLOSE_LIMIT_MS);
      } finally {
        connection.disconnect();
      }
    },
  };
}

/** The consuming end. It waits for its backend to come back. */
export function createWorker(
  name: string,
  url: string,
  processor: Processor,
  options: Omit<WorkerOptions, 'connection'> & Prefixed,
): Worker {
  if (isPostgres(url)) {
    return new Worker(
      name,
      processor,
      { ...options, runRetryDelay: RETRY_MS, connection: postgres(url, 10) },
      patientBackend,
    ) as unknown as Worker;
  }
  const worker = new Worker(name, processor, {
    ...options,
    connection: { ...REDIS_OPTIONS, url, maxRetriesPerRequest: null },
  });
  waitAfterFailures(worker.backend);
  return worker;
}

/** The client library ends no pool that it was given: ours, with prepared sessions, ends with it. */
const owningBackend: typeof createPostgresBackend = (name, options, ...more) => {
  const backend = createPostgresBackend(name, options, ...more);
  const pool = options.connection as unknown as pg.Pool;
  const close = backend.close.bind(backend);
  let ended: Promise<void> | undefined;
  backend.close = async (force) => {
    await close(force);
    await (ended ??= pool.end());
  };
  return backend;
};

const patientBackend: typeof createPostgresBackend = (...settings) => {
  const backend = owningBackend(...settings);
  waitAfterFailures(backend);
  return backend;
};

/**
 * After any failure but a refused connection the client library asks for the next job at once: while
 * a server restarts that is thousands of new connections a second, and with a Redis that refuses the
 * command 10,000 errors a second.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the backends differ in it
function waitAfterFailures<Call extends unknown[]>(backend: {
  moveToActive: (...call: Call) => Promise<unknown[]>;
}): void {
  const take = backend.moveToActive.bind(backend);
  backend.moveToActive = async (...call) => {
    try {
      return await take(...call);
    } catch (error) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      throw error;
    }
  };
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
 * It listens, and finds its tables by the search path. The queue is a hint that beat can give again:
 * what a crash of the server forgets of it is no loss.
 */
const SESSION: SessionSettings = {
  statementTimeoutMs: QUERY_LIMIT_MS,
  idleInTransactionMs: QUERY_LIMIT_MS,
  ownSession: true,
  more: { search_path: SCHEMA, synchronous_commit: 'off' },
};

function postgres(url: string, max: number): pg.Pool {
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

/**
 * A connection that died without a word is noticed by who waits for its answer, within a limit of
 * their own, and the consumer has its watchdog: a timer of the client's for each command cost a tenth
 * of the feeding.
 */
const REDIS_OPTIONS = {
  connectTimeout: 3_000,
  keepAlive: 5_000,
  retryStrategy: (times: number) => Math.min(times * 100, 2_000),
};
