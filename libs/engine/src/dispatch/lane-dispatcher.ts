import type { Queryable } from '@app/database';
import type { Clock, Logger } from '@app/platform';
import type { DeliveryQueue } from '@app/queue';
import { takeProbeIfDue } from '@app/lanes';
import {
  findDueRetries,
  findFresh,
  findStillPending,
  type LaneState,
  type OpenMailing,
  type ScanPosition,
} from './dispatch.queries.js';
import { Feeding, type Look } from './feeding.js';
import { jobsFed, queueWaiting } from './metrics.js';
import { MOST_POSITIONS } from './turn.js';

const MOST_AHEAD = 20_000;
/** With a rate, as much is kept ready as it lets through in so long, s. */
const RATED_AHEAD_S = 1;
/** Feeding fewer than this would cost more round trips than it saves waiting. */
const LEAST_ROOM_SHARE = 0.1;
/** Weight of the newest measurement of throughput. */
const SMOOTHING = 0.3;

/** While jobs flow: often enough that the queue never runs dry, rarely enough to cost nothing. */
const WHILE_FEEDING_MS = 40;
/** Where only rates limit what is fed: messages are fed longer before their moment than this. */
const WHILE_PACED_MS = 100;

/** The queue failed, not the database. */
export class QueueFailure extends Error {
  constructor(override readonly cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause));
  }
}

export interface LaneDispatcherOptions {
  /** For what is written. */
  db: Queryable;
  /** For what is only read. */
  read: Queryable;
  queue: DeliveryQueue;
  /** What all workers together can hold at a time; twice this many jobs are kept ready. */
  concurrency: number;
  clock: Clock;
  logger: Logger;
}

/** Keeps about one second of work in the queue of one lane, never more. */
export class LaneDispatcher {
  private readonly feeding = new Feeding();
  private queue: DeliveryQueue;
  private throughput = 0;
  private last: { waiting: number; fed: number; at: number } | null = null;

  constructor(private readonly options: LaneDispatcherOptions) {
    this.queue = options.queue;
  }

  /**
   * Tops the queue up. @returns ms after which the next look should come; undefined: nothing is under way.
   * @throws QueueFailure when the queue does not answer, else when the database cannot be reached. In
   * neither case anything is lost that was not fed.
   */
  async run(lane: LaneState, mailings: OpenMailing[]): Promise<number | undefined> {
    if (lane.state !== 'closed' || lane.paused) {
      this.feeding.forget();
      if (lane.state !== 'closed' && lane.probeDue) await this.probe(lane, mailings);
      return undefined;
    }
    if (mailings.length === 0) {
      this.feeding.forget();
      return undefined;
    }
    const waiting = await ofQueue(this.queue.waiting());
    queueWaiting.set({ lane: lane.name }, waiting);
    const now = this.options.clock.monotonic();
    const ahead = this.lookAhead(lane, waiting, now);
    if (ahead - waiting < ahead * LEAST_ROOM_SHARE) return WHILE_FEEDING_MS;
    const places = this.options.concurrency;
    const look = this.feeding.look({ now, waiting, ahead, places, lane, mailings });
    try {
      await this.read(look);
      await this.feed(lane, look);
    } catch (error) {
      look.undo();
      throw error;
    }
    return look.isPaced ? WHILE_PACED_MS : WHILE_FEEDING_MS;
  }

  /** The next look uses another connection to the queue: the old one may never answer. */
  useQueue(queue: DeliveryQueue): void {
    void this.queue.close();
    this.queue = queue;
    this.last = null;
  }

  close(): Promise<void> {
    return this.queue.close();
  }

  private async read(look: Look): Promise<void> {
    const { read } = this.options;
    const asked = look.toCheck;
    if (asked.length > 0) {
      const pending = await findStillPending(read, asked);
      look.checked(new Map(pending.map(({ id, attempts }) => [id, attempts])));
    }
    for (let reads = look.next(); reads; reads = look.next()) {
      // One after the other: a second connection would be idle most of the time, and be closed.
      const retries = await unlessNone(reads.retries, (some) => findDueRetries(read, some));
      const fresh = await unlessNone(reads.fresh, (some) => findFresh(read, some));
      look.found(retries, fresh);
    }
  }

  private async feed(lane: LaneState, look: Look): Promise<void> {
    const items = look.items.map(({ id, attempts, offers }) => ({
      messageId: id,
      attempts,
      offers,
    }));
    if (items.length > 0) {
      await ofQueue(this.queue.feed(items, this.options.clock.now().getTime()));
      if (this.last) this.last.fed += items.length;
      jobsFed.inc({ lane: lane.name }, items.length);
    }
    look.commit();
  }

  private async probe(lane: LaneState, mailings: OpenMailing[]): Promise<void> {
    const { db, clock, logger } = this.options;
    const candidate = await this.findCandidate(mailings);
    if (candidate === undefined) return;
    const generation = await takeProbeIfDue(db, lane.id);
    if (generation === null) return;
    logger.info({ lane: lane.name, message: candidate }, 'probing');
    const job = { messageId: candidate, probe: generation };
    await ofQueue(this.queue.probe(job, clock.now().getTime()));
  }

  /** Any message that is due, in any mailing. */
  private async findCandidate(mailings: OpenMailing[]): Promise<number | undefined> {
    const { read } = this.options;
    const positions = mailings.flatMap(({ id: mailingId, zones }) =>
      zones.map((zoneId) => ({ mailingId, zoneId, notBefore: '-infinity', id: 0, limit: 1 })),
    );
    for (let from = 0; from < positions.length; from += MOST_POSITIONS) {
      const some = positions.slice(from, from + MOST_POSITIONS);
      const [first] = [...(await findDueRetries(read, some)), ...(await findFresh(read, some))];
      if (first) return first.id;
    }
    return undefined;
  }

  private lookAhead(lane: LaneState, waiting: number, now: number): number {
    this.measure(waiting, now);
    const wanted = Math.max(2 * this.options.concurrency, Math.ceil(this.throughput));
    const { ratePerSecond: rate } = lane;
    const limited = rate === null ? wanted : Math.min(wanted, Math.ceil(rate * RATED_AHEAD_S) + 1);
    return Math.min(limited, MOST_AHEAD);
  }

  /** What left the queue since the last look, per second. */
  private measure(waiting: number, at: number): void {
    if (this.last && at > this.last.at) {
      const drained = Math.max(0, this.last.waiting + this.last.fed - waiting);
      const rate = (drained * 1000) / (at - this.last.at);
      this.throughput += SMOOTHING * (rate - this.throughput);
    }
    this.last = { waiting, fed: 0, at };
  }
}

async function ofQueue<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new QueueFailure(error);
  }
}

function unlessNone<T>(
  positions: ScanPosition[],
  read: (positions: ScanPosition[]) => Promise<T[]>,
): Promise<T[]> {
  return positions.length === 0 ? Promise.resolve([]) : read(positions);
}
