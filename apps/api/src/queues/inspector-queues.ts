import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { Database, readQueuePrefix } from '@app/database';
import { messageOf } from '@app/platform';
import { bounded, SharedBackend } from '@app/queue';
import { API_CONFIG, type ApiConfig } from '../config.js';

/** A look at the queues holds no request for longer, ms. */
const LIMIT_MS = 2_000;

/** What shows the queues. */
export interface QueueBoard {
  add(queue: Queue): void;
  remove(queue: Queue): void;
}

/**
 * The queues of all lanes over one connection, to read from. It is opened at the first look, so that an
 * api whose queues nobody looks at has none, and works while the queue is down.
 */
@Injectable()
export class InspectorQueues implements OnApplicationShutdown {
  private readonly logger = new Logger('Inspector');
  /** By lane: what the board shows. */
  private readonly shown = new Map<string, Queue>();
  private connection: SharedBackend | undefined;
  private connecting: Promise<SharedBackend> | undefined;

  constructor(
    private readonly database: Database,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  /**
   * Has the board show the queue of each lane.
   *
   * @throws within seconds when the queue or the database does not answer.
   */
  async show(board: QueueBoard): Promise<void> {
    const { rows } = await this.database.pool.query<{ name: string }>(
      'SELECT name FROM lanes ORDER BY id',
    );
    const [first] = rows;
    if (first) {
      const connection = this.connection ?? (await this.connectOnce(first.name));
      await ask(connection.queue(first.name));
      for (const { name } of rows) {
        if (this.shown.has(name)) continue;
        const queue = connection.queue(name);
        this.shown.set(name, queue);
        board.add(queue);
      }
    }
    for (const [name, queue] of this.shown) {
      if (rows.some((row) => row.name === name)) continue;
      this.shown.delete(name);
      this.connection?.forget(name);
      board.remove(queue);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connection?.close();
  }

  /** Looks at the same time share one. */
  private connectOnce(lane: string): Promise<SharedBackend> {
    this.connecting ??= this.connect(lane).finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  /** What has answered once reconnects by itself; what has not is of no use later. */
  private async connect(lane: string): Promise<SharedBackend> {
    const connection = new SharedBackend({
      url: this.config.QUEUE_URL ?? this.config.DATABASE_URL,
      prefix: await readQueuePrefix(this.database.pool),
      purpose: 'feeding',
      queue: { skipMetasUpdate: true },
      onError: (error) => {
        this.logger.debug(`the queue: ${messageOf(error)}`);
      },
    });
    try {
      const queue = connection.queue(lane);
      await bounded(queue.waitUntilReady(), LIMIT_MS);
      await ask(queue);
    } catch (error) {
      void connection.close();
      throw error;
    }
    this.connection = connection;
    return connection;
  }
}

async function ask(queue: Queue): Promise<void> {
  await bounded(queue.getJobCountByTypes('waiting'), LIMIT_MS);
}
