import {
  type ConnectionOptions,
  createPostgresBackend,
  Queue,
  runMigrations,
  Worker,
  type Processor,
  type QueueOptions,
  type WorkerOptions,
} from 'bullmq';
import pg from 'pg';

/** Tables of the queue's own, beside ours when both live in one database. */
const SCHEMA = 'bullmq';

export function isPostgres(url: string): boolean {
  return url.startsWith('postgres:') || url.startsWith('postgresql:');
}

/**
 * The producing end. The scheme of the URL chooses the backend; everything above sees one queue
 * (the casts only forget which). It fails at once while the backend is away, instead of piling up
 * commands.
 */
export function createQueue(
  name: string,
  url: string,
  options: Omit<QueueOptions, 'connection'>,
): Queue {
  return isPostgres(url)
    ? (new Queue(
        name,
        { ...options, connection: postgres(url, 4) },
        createPostgresBackend,
      ) as unknown as Queue)
    : new Queue(name, {
        ...options,
        connection: {
          ...redis(url),
          enableOfflineQueue: false,
          maxRetriesPerRequest: 0,
          commandTimeout: 5_000,
        },
      });
}

/** The consuming end. It waits for its backend to come back. */
export function createWorker(
  name: string,
  url: string,
  processor: Processor,
  options: Omit<WorkerOptions, 'connection'>,
): Worker {
  return isPostgres(url)
    ? (new Worker(
        name,
        processor,
        { ...options, connection: postgres(url, 10) },
        createPostgresBackend,
      ) as unknown as Worker)
    : new Worker(name, processor, {
        ...options,
        connection: { ...redis(url), maxRetriesPerRequest: null },
      });
}

/** The queue's tables, where the backend has any. Safe to run at any time, by several at once. */
export async function migrateQueue(url: string): Promise<void> {
  if (!isPostgres(url)) return;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await runMigrations(client, SCHEMA);
  } finally {
    await client.end();
  }
}

function postgres(url: string, max: number) {
  return {
    connectionString: url,
    schema: SCHEMA,
    max,
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    query_timeout: 30_000,
    application_name: 'posthorn-queue',
  };
}

function redis(url: string): ConnectionOptions {
  return {
    url,
    connectTimeout: 3_000,
    keepAlive: 5_000,
    // Silence for longer than the longest blocking command means that the connection is dead.
    socketTimeout: 30_000,
    retryStrategy: (times: number) => Math.min(times * 100, 2_000),
  };
}
