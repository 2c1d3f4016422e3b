import type { Clock, Logger } from '@app/platform';
import { DeliveryConsumer } from './delivery-consumer.js';
import type { DeliveryJob } from './jobs.js';

/** What becomes of a job that is not done with: it comes again after this time, ms. */
export interface Later {
  againInMs: number;
}

/**
 * Resolves when the job is done with, in whatever way, or with the time after which it is to come
 * again; rejects to have the queue retry it.
 */
export type DeliveryHandler = (job: DeliveryJob) => Promise<Later | undefined>;

export interface ConsumersOptions {
  url: string;
  /** See `readQueuePrefix`. */
  prefix: string;
  /** Jobs that this process holds at a time, of all lanes together. */
  places: number;
  logger: Logger;
  clock: Clock;
}

export interface LaneOptions {
  /** Jobs of this lane that this process holds at a time. Default: all places. */
  places?: number;
}

/** The consuming end of one lane's queue. */
export interface LaneConsumer {
  /** Jobs in hand. */
  readonly inFlight: number;
  /** Takes no new jobs for so long, ms, for others to take them; those in hand go on. */
  pause(ms: number): void;
  /** How long jobs have been waiting while none was taken and none in hand ended, ms. */
  stalledForMs(): number;
  /** Takes no new jobs and waits for those in hand, within a limit. It never fails. */
  close(): Promise<void>;
}

/** The consuming end of the queues of all lanes in this process, which share its places. */
export class DeliveryConsumers {
  private readonly lanes = new Map<string, LaneConsumer>();

  constructor(private readonly options: ConsumersOptions) {}

  /** @throws Error when the lane is open already. */
  open(lane: string, handle: DeliveryHandler, { places }: LaneOptions = {}): LaneConsumer {
    if (this.lanes.has(lane)) throw new Error(`The lane ${lane} is open already`);
    const { url, prefix, logger } = this.options;
    const concurrency = Math.min(places ?? this.options.places, this.options.places);
    const consumer = new DeliveryConsumer({ url, prefix, lane, concurrency, logger, handle });
    const opened: LaneConsumer = {
      get inFlight() {
        return consumer.inFlight;
      },
      pause: (ms) => {
        consumer.pauseFor(ms);
      },
      stalledForMs: () => consumer.stalledForMs(),
      close: async () => {
        await consumer.close();
        if (this.lanes.get(lane) === opened) this.lanes.delete(lane);
      },
    };
    this.lanes.set(lane, opened);
    return opened;
  }

  /** How long the lane that has stalled for the longest time has done so, ms; 0: none has. */
  stalledForMs(): number {
    return Math.max(0, ...[...this.lanes.values()].map((lane) => lane.stalledForMs()));
  }

  /** Closes all lanes, then the connections. It never fails. */
  async close(): Promise<void> {
    await Promise.all([...this.lanes.values()].map((lane) => lane.close()));
  }
}
