import { setTimeout as sleep } from 'node:timers/promises';
import type { Queryable } from '@app/database';
import { type Clock, type Logger, messageOf } from '@app/platform';
import type { DeliveryQueue } from '@app/queue';
import { type LaneState, type OpenMailing, readLanes } from './dispatch.queries.js';
import { LaneDispatcher, QueueFailure } from './lane-dispatcher.js';
import { breakerOpen } from './metrics.js';
import { OpenMailings } from './open-mailings.js';

export interface DispatchOptions {
  /** For what is written: the leader's session. */
  db: Queryable;
  /** For what is only read, so that feeding does not wait behind the planning of a large mailing. */
  read: Queryable;
  /** Messages that all workers together hold at a time, roughly. */
  concurrency: number;
  clock: Clock;
  logger: Logger;
  /** A queue for the lane, which is closed here. */
  openQueue: (lane: string) => DeliveryQueue;
}

/** The task waits so long for the look of a lane, ms; then the others continue without it. */
const MOST_WAIT_MS = 250;
/**
 * While such a look is under way the next one comes after this, ms. A queue that takes 250 ms to be fed is
 * slow or its machine is busy: after the pause of a beat without work, a second, it would be empty.
 */
const AFTER_LATE_LOOK_MS = 50;
/** A lane whose queue did not answer is looked at again after this, ms. */
const AFTER_FAILURE_MS = 1_000;

/** Time between two looks at the least, ms, however often something changes. */
const LEAST_PAUSE_MS = 15;

/** A lane's own state; nothing of it depends on another lane's. */
interface LaneWork {
  dispatcher: LaneDispatcher;
  isLooking: boolean;
  queueIsDown: boolean;
  notBefore: number;
}

/** The results of one run's looks so far. */
interface Run {
  waits: number[];
  failures: unknown[];
  /** The run has ended: later results are ignored. */
  isOver: boolean;
}

/** Feeds the queues of all lanes; what happens to one of them does not hold up the others. */
export class DispatchService {
  private readonly lanes = new Map<number, LaneWork>();
  private readonly mailings: OpenMailings;
  private lookedAt = -Infinity;
  /** The lanes of the last look. */
  private seen: ReadonlySet<number> = new Set();

  constructor(private readonly options: DispatchOptions) {
    this.mailings = new OpenMailings(options.read, options.clock);
  }

  /** Something changed in the database. What has been fed stays fed. */
  wake(): void {
    this.mailings.changed();
  }

  /**
   * @returns ms after which the next look should come; undefined: no work is under way.
   * @throws when the database cannot be reached.
   */
  async run(): Promise<number | undefined> {
    const pause = this.lookedAt + LEAST_PAUSE_MS - this.options.clock.monotonic();
    if (pause > 0) await sleep(pause);
    this.lookedAt = this.options.clock.monotonic();
    const mailings = await this.mailings.read();
    const lanes = await readLanes(this.options.read);
    this.closeAllBut(lanes);
    for (const { name, state } of lanes) {
      breakerOpen.set({ lane: name }, state === 'closed' ? 0 : 1);
    }
    const run: Run = { waits: [], failures: [], isOver: false };
    const byLane = Map.groupBy(mailings, ({ laneId }) => laneId);
    const looks = lanes.flatMap((lane) => {
      const ofLane = byLane.get(lane.id) ?? [];
      // A lane that never had anything to feed costs nothing, not even a queue.
      const isIdle = ofLane.length === 0 && !this.lanes.has(lane.id);
      return isIdle ? [] : [this.look(lane, ofLane, run)];
    });
    await within(MOST_WAIT_MS, Promise.all(looks));
    run.isOver = true;
    if (run.failures.length > 0) throw run.failures[0];
    if (this.isAnyLooking()) run.waits.push(AFTER_LATE_LOOK_MS);
    return run.waits.length > 0 ? Math.min(...run.waits) : undefined;
  }

  async close(): Promise<void> {
    // eslint-disable-next-line no-restricted-syntax -- a queue that closes never fails
    await Promise.all([...this.lanes.values()].map(({ dispatcher }) => dispatcher.close()));
    this.lanes.clear();
    breakerOpen.reset();
  }

  private isAnyLooking(): boolean {
    return [...this.lanes.values()].some(({ isLooking }) => isLooking);
  }

  private async look(lane: LaneState, mailings: OpenMailing[], run: Run): Promise<void> {
    const { clock, logger } = this.options;
    const work = this.work(lane);
    if (work.isLooking || clock.monotonic() < work.notBefore) return;
    work.isLooking = true;
    try {
      const wait = await work.dispatcher.run(lane, mailings);
      if (wait !== undefined) run.waits.push(wait);
      if (work.queueIsDown) logger.info({ lane: lane.name }, 'the queue is back');
      work.queueIsDown = false;
    } catch (error) {
      if (error instanceof QueueFailure) this.useAnotherQueue(lane, work, error);
      else if (run.isOver) logger.warn({ lane: lane.name, error: messageOf(error) }, 'look failed');
      else run.failures.push(error);
    } finally {
      work.isLooking = false;
    }
  }

  /** A queue that was opened while its backend was away may never answer: use a new one. */
  private useAnotherQueue(lane: LaneState, work: LaneWork, error: QueueFailure): void {
    const { clock, logger } = this.options;
    if (!work.queueIsDown) {
      logger.warn({ lane: lane.name, error: messageOf(error) }, 'cannot feed');
    }
    work.queueIsDown = true;
    work.notBefore = clock.monotonic() + AFTER_FAILURE_MS;
    if (this.lanes.get(lane.id) === work)
      work.dispatcher.useQueue(this.options.openQueue(lane.name));
  }

  private work(lane: LaneState): LaneWork {
    let work = this.lanes.get(lane.id);
    if (!work) {
      const { db, read, concurrency, clock, logger, openQueue } = this.options;
      const queue = openQueue(lane.name);
      const dispatcher = new LaneDispatcher({ db, read, queue, concurrency, clock, logger });
      work = { dispatcher, isLooking: false, queueIsDown: false, notBefore: -Infinity };
      this.lanes.set(lane.id, work);
    }
    return work;
  }

  private closeAllBut(lanes: LaneState[]): void {
    const known = new Set(lanes.map(({ id }) => id));
    if (known.size < this.seen.size) breakerOpen.reset();
    this.seen = known;
    for (const [id, { dispatcher }] of this.lanes) {
      if (known.has(id)) continue;
      this.lanes.delete(id);
      void dispatcher.close();
    }
  }
}

/** Ends with the work or after the time, whichever comes first. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
