import { type IQueueBackend, Queue, type QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type pg from 'pg';
import { bounded } from './bounded.js';
import { connect, type Connection, type Purpose } from './connections.js';

const CLOSE_LIMIT_MS = 2_000;

export interface SharedBackendOptions {
  url: string;
  /**
   * Separates this installation's keys in Redis from another one's: `readQueuePrefix`. In PostgreSQL
   * the schema takes its place: a queue there is for one installation.
   */
  prefix: string;
  purpose: Purpose;
  /** Of each queue. */
  queue?: Pick<QueueOptions, 'streams' | 'skipMetasUpdate'>;
  /** The connection failed, or was refused. */
  onError?: (error: Error) => void;
  /** The backend is there: for the first time, again, or another one. */
  onReady?: () => void;
}

/**
 * The queues of all lanes over one connection to Redis, or one pool to PostgreSQL. A connection that
 * does not answer, or that failed before its first answer, which the client library does not repair, is
 * replaced by a new one: its calls are rejected, and queues have to be asked for again.
 */
export class SharedBackend {
  private connection: Connection | undefined;
  private readonly backends = new Map<string, IQueueBackend>();
  private readonly queues = new Map<string, Queue>();
  private failed = false;
  private closed = false;

  constructor(private readonly options: SharedBackendOptions) {}

  get redis(): Redis | undefined {
    return this.open().redis;
  }

  get pool(): pg.Pool | undefined {
    return this.open().pool;
  }

  get prefix(): string {
    return this.options.prefix;
  }

  /** The calls of one lane's queue, by name of the lane. */
  backend(lane: string): IQueueBackend {
    const { root } = this.open();
    let backend = this.backends.get(lane);
    if (!backend) {
      backend = root.forQueue(lane, this.options.prefix);
      this.backends.set(lane, backend);
    }
    return backend;
  }

  /** One lane's queue as the client library shows it. Not to be closed. */
  queue(lane: string): Queue {
    const backend = this.backend(lane);
    let queue = this.queues.get(lane);
    if (!queue) {
      const { prefix, queue: options } = this.options;
      const settings = { ...options, prefix, connection: {} };
      // The cast forgets only which backend it is.
      queue = new Queue(lane, settings, () => backend as never);
      queue.on('error', () => undefined);
      this.queues.set(lane, queue);
    }
    return queue;
  }

  forget(lane: string): void {
    this.backends.delete(lane);
    this.queues.delete(lane);
  }

  /** Whether the connection will never answer. */
  get isDead(): boolean {
    return this.failed;
  }

  /**
   * Replaces the connection, unless it is coming back by itself.
   *
   * @param lane unless it has been replaced since this lane had this backend.
   */
  renew(lane?: string, seen?: IQueueBackend): void {
    if (lane !== undefined && this.backends.get(lane) !== seen) return;
    if (!this.connection?.isComingBack()) void this.drop();
  }

  /** It never fails. */
  async close(): Promise<void> {
    this.closed = true;
    await this.drop();
  }

  private open(): Connection {
    if (this.connection) return this.connection;
    const { url, prefix, purpose, onError, onReady } = this.options;
    const connection = connect(url, prefix, purpose);
    this.connection = connection;
    this.failed = false;
    const isCurrent = () => this.connection === connection;
    connection.root.on('error', (error: Error) => {
      if (isCurrent()) onError?.(error);
    });
    connection.root.on('ready', () => {
      if (isCurrent()) onReady?.();
    });
    connection.root.waitUntilReady().catch((error: unknown) => {
      if (!isCurrent()) return;
      this.failed = true;
      onError?.(error as Error);
    });
    // A call of somebody who has not heard of the end yet must not leave a connection behind.
    if (this.closed) void this.drop();
    return connection;
  }

  private async drop(): Promise<void> {
    const { connection } = this;
    this.connection = undefined;
    this.backends.clear();
    this.queues.clear();
    if (connection) await bounded(connection.end(), CLOSE_LIMIT_MS).catch(() => undefined);
  }
}

/** A queue, and how to close it even when its backend never answered. */
export interface OpenQueue {
  queue: Queue;
  close(): Promise<void>;
}

/** One lane's queue for looking at, on a connection of its own. */
export function createQueue(lane: string, url: string, { prefix }: { prefix: string }): OpenQueue {
  const shared = new SharedBackend({ url, prefix, purpose: 'feeding' });
  return { queue: shared.queue(lane), close: () => shared.close() };
}
