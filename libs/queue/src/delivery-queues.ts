import { type Logger, messageOf } from '@app/platform';
import { DeliveryQueue } from './delivery-queue.js';
import { SharedBackend } from './shared-backend.js';
import { queueTroubles } from './troubles.js';

export interface QueuesOptions {
  url: string;
  /** See `readQueuePrefix`. */
  prefix: string;
  logger: Logger;
}

/** The producing end of the queues of all lanes in this process, over one connection (or pool). */
export class DeliveryQueues {
  private readonly shared: SharedBackend;
  private readonly lanes = new Map<string, DeliveryQueue>();

  constructor(private readonly options: QueuesOptions) {
    const { url, prefix, logger } = options;
    this.shared = new SharedBackend({
      url,
      prefix,
      purpose: 'feeding',
      queue: { streams: { events: { maxLen: 100 } } },
      onError: (error) => {
        logger.debug({ error: messageOf(error) }, 'queue connection');
        for (const lane of this.lanes.keys()) queueTroubles.note(lane, error, logger);
      },
    });
  }

  /**
   * The lane's queue, to be closed by the caller when the lane is removed. Opened again, as after a
   * failure, it takes the place of the one before.
   */
  open(lane: string): DeliveryQueue {
    const queue = new DeliveryQueue(this.shared, lane, this.options.logger, () => {
      if (this.lanes.get(lane) !== queue) return;
      this.lanes.delete(lane);
      this.shared.forget(lane);
    });
    this.lanes.set(lane, queue);
    return queue;
  }

  /** Closes a lane's queue, or without a name all queues and the connection. It never fails. */
  async close(lane?: string): Promise<void> {
    if (lane !== undefined) {
      await this.lanes.get(lane)?.close();
      return;
    }
    this.lanes.clear();
    await this.shared.close();
  }
}
