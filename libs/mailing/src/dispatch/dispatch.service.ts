import type { Queryable } from '@app/domain';
import { type Clock, type Logger, messageOf } from '@app/platform';
import { DeliveryQueue } from '@app/queue';
import { findOpenSlots, type LaneState, readLanes } from './dispatch.queries.js';
import { LaneDispatcher } from './lane-dispatcher.js';

export interface DispatchOptions {
  /** For what is written: the leader's session. */
  db: Queryable;
  /** For what is only read, so that feeding does not wait behind the planning of a large mailing. */
  read: Queryable;
  queueUrl: string;
  /** Messages that all workers together hold at a time, roughly. */
  concurrency: number;
  clock: Clock;
  logger: Logger;
}

/** Feeds the queues of all lanes; what happens to one of them does not hold up the others. */
export class DispatchService {
  private readonly lanes = new Map<number, LaneDispatcher>();
  private rewindWanted = false;
  private queueIsDown = false;

  constructor(private readonly options: DispatchOptions) {}

  /** Called from outside the loop when something changed: the next run begins its scans anew. */
  wake(): void {
    this.rewindWanted = true;
  }

  /** Called from outside the loop when more messages were planned. */
  goOn(): void {
    for (const lane of this.lanes.values()) lane.goOn();
  }

  /** @returns whether there is work under way, so that the next look should come soon. */
  async run(): Promise<boolean> {
    const { read } = this.options;
    if (this.rewindWanted) {
      this.rewindWanted = false;
      for (const lane of this.lanes.values()) lane.rewind();
    }
    const slots = await findOpenSlots(read);
    const lanes = await readLanes(read);
    const busy = await Promise.all(
      lanes.map(async (lane) => {
        try {
          const own = slots.filter((slot) => slot.laneId === lane.id);
          const isBusy = await this.dispatcher(lane).run(lane, own);
          if (this.queueIsDown) this.options.logger.info('the queue is back');
          this.queueIsDown = false;
          return isBusy;
        } catch (error) {
          if (!this.queueIsDown) {
            this.options.logger.warn({ lane: lane.name, error: messageOf(error) }, 'cannot feed');
          }
          this.queueIsDown = true;
          this.reopen(lane);
          return false;
        }
      }),
    );
    return busy.includes(true);
  }

  async close(): Promise<void> {
    await Promise.all([...this.lanes.values()].map((lane) => lane.close()));
    this.lanes.clear();
  }

  /** A queue that was opened while its backend was away may stay deaf: begin with a new one. */
  private reopen(lane: LaneState): void {
    const dispatcher = this.lanes.get(lane.id);
    this.lanes.delete(lane.id);
    void dispatcher?.close();
  }

  private dispatcher(lane: LaneState): LaneDispatcher {
    let dispatcher = this.lanes.get(lane.id);
    if (!dispatcher) {
      const { db, read, queueUrl, concurrency, clock, logger } = this.options;
      const queue = new DeliveryQueue(queueUrl, lane.name, logger);
      dispatcher = new LaneDispatcher({ db, read, queue, concurrency, clock, logger });
      this.lanes.set(lane.id, dispatcher);
    }
    return dispatcher;
  }
}
