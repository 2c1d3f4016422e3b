import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Queue } from 'bullmq';
import type { DataSource } from 'typeorm';
import { databaseOf } from '@app/mailing';
import { messageOf } from '@app/platform';
import { bounded, createQueue, queueName } from '@app/queue';
import { API_CONFIG, type ApiConfig } from '../config.js';

/** Looking at the queue is a favour: it never holds a request for longer. */
const LIMIT_MS = 2_000;

/**
 * The lanes' queues, for looking at. Opened at the first look, so that an API that nobody asks about
 * queues has no connection to them, and the queue's troubles are none of its business.
 */
@Injectable()
export class InspectorQueues implements OnApplicationShutdown {
  private readonly logger = new Logger('Inspector');
  private readonly queues = new Map<string, Queue>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  /**
   * Opens what is new among the lanes, and hands each new queue to `opened`. Rejects, within
   * seconds, when the queue does not answer.
   */
  async ready(opened: (queue: Queue) => void): Promise<void> {
    const { rows } = await databaseOf(this.dataSource).query<{ name: string }>(
      'SELECT name FROM lanes ORDER BY id',
    );
    for (const { name } of rows) {
      if (!this.queues.has(name)) opened(this.open(name));
    }
    const [first] = this.queues.values();
    if (first) await bounded(this.ask(first), LIMIT_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    const closing = [...this.queues.values()].map((queue) =>
      bounded(queue.close(), LIMIT_MS).catch(() => queue.disconnect().catch(() => undefined)),
    );
    await Promise.all(closing);
  }

  private open(lane: string): Queue {
    const url = this.config.QUEUE_URL ?? this.config.DATABASE_URL;
    const queue = createQueue(queueName(lane), url, { skipWaitingForReady: true });
    // Without a listener a dropped connection would end the process.
    queue.on('error', (error) => {
      this.logger.debug(`queue ${lane}: ${messageOf(error)}`);
    });
    this.queues.set(lane, queue);
    return queue;
  }

  /** Any question will do; a connection that is only just being made is waited for. */
  private async ask(queue: Queue): Promise<void> {
    await queue.waitUntilReady();
    await queue.getJobCountByTypes('waiting');
  }
}
