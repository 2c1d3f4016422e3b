import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { Database, readQueuePrefix } from '@app/database';
import { messageOf } from '@app/platform';
import { bounded, createQueue, type OpenQueue } from '@app/queue';
import { API_CONFIG, type ApiConfig } from '../config.js';

/** A look at the queue holds no request for longer. */
const LIMIT_MS = 2_000;

/**
 * The lanes' queues, for looking at. Opened at the first look, so that an API that nobody asks about
 * queues has no connection to them, and the queue's troubles are none of its business.
 */
@Injectable()
export class InspectorQueues implements OnApplicationShutdown {
  private readonly logger = new Logger('Inspector');
  private readonly queues = new Map<string, OpenQueue>();

  constructor(
    private readonly database: Database,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  /**
   * Opens what is new among the lanes, and hands each new queue to `opened`. Rejects, within
   * seconds, when a queue does not answer.
   */
  async ready(opened: (queue: Queue) => void): Promise<void> {
    const db = this.database.pool;
    const { rows } = await db.query<{ name: string }>('SELECT name FROM lanes ORDER BY id');
    const [known] = this.queues.values();
    if (known) await bounded(known.queue.getJobCountByTypes('waiting'), LIMIT_MS);
    const missing = rows.filter(({ name }) => !this.queues.has(name));
    if (missing.length === 0) return;
    const prefix = await readQueuePrefix(db);
    for (const { name } of missing) {
      const open = await this.open(name, prefix);
      // Two looks at once may both have opened it.
      if (this.queues.has(name)) {
        await close(open);
        continue;
      }
      this.queues.set(name, open);
      opened(open.queue);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.queues.values()].map(close));
  }

  /** A queue that has answered once reconnects by itself; one that has not is of no use later. */
  private async open(lane: string, prefix: string): Promise<OpenQueue> {
    const url = this.config.QUEUE_URL ?? this.config.DATABASE_URL;
    const open = createQueue(lane, url, { prefix });
    const { queue } = open;
    // Without a listener a dropped connection would end the process.
    queue.on('error', (error) => {
      this.logger.debug(`queue ${lane}: ${messageOf(error)}`);
    });
    try {
      await bounded(queue.waitUntilReady(), LIMIT_MS);
      await bounded(queue.getJobCountByTypes('waiting'), LIMIT_MS);
      return open;
    } catch (error) {
      void close(open);
      throw error;
    }
  }
}

async function close(open: OpenQueue): Promise<void> {
  await open.close().catch(() => undefined);
}
