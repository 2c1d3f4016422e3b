import type { Logger } from '@app/platform';
import { DeliveryQueue } from './delivery-queue.js';

export interface QueuesOptions {
  url: string;
  /** See `readQueuePrefix`. */
  prefix: string;
  logger: Logger;
}

/** The producing end of the queues of all lanes in this process. */
export class DeliveryQueues {
  private readonly lanes = new Map<string, DeliveryQueue>();

  constructor(private readonly options: QueuesOptions) {}

  /**
   * The lane's queue, to be closed by the caller when the lane goes. Opened once more, as after a
   * failure, it takes the place of the one before.
   */
  open(lane: string): DeliveryQueue {
    const { url, prefix, logger } = this.options;
    void this.lanes.get(lane)?.close();
    const queue = new DeliveryQueue(url, lane, logger, prefix);
    this.lanes.set(lane, queue);
    return queue;
  }

  /** Lets go of a lane's queue, or without a name of all and of the connection. It never fails. */
  async close(lane?: string): Promise<void> {
    const names = lane === undefined ? [...this.lanes.keys()] : [lane];
    const closing = names.map(async (name) => {
      const queue = this.lanes.get(name);
      this.lanes.delete(name);
      await queue?.close();
    });
    await Promise.all(closing);
  }
}
