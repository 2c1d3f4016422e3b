import type { Queryable } from '@app/domain';
import type { Clock, Logger } from '@app/platform';
import type { DeliveryQueue } from '@app/queue';
import { takeProbeIfDue } from '../deliver/breaker.queries.js';
import {
  type DueMessage,
  findDueRetries,
  findFresh,
  type LaneState,
  type OpenSlot,
} from './dispatch.queries.js';
import { jobsFed, queueWaiting } from './metrics.js';
import { Scan } from './scan.js';

/** Retries that are due go first, but fresh messages are not starved by them. */
const RETRY_SHARE = 0.2;
const MOST_AHEAD = 20_000;
/** Feeding tiny rests would cost more round trips than it saves waiting. */
const LEAST_ROOM_SHARE = 0.1;
/** Feed for a rate is a little above it, and never for longer than this. */
const RATE_HEADROOM = 1.2;
const RATE_AHEAD_S = 2;
/** Weight of the newest measurement of throughput. */
const SMOOTHING = 0.3;

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
  private readonly fresh: Scan;
  private readonly retries: Scan;
  private readonly allowances = new Map<number, { tokens: number; at: number }>();
  private throughput = 0;
  private last: { waiting: number; fed: number; at: number } | null = null;

  constructor(private readonly options: LaneDispatcherOptions) {
    this.fresh = new Scan(options.clock);
    this.retries = new Scan(options.clock);
  }

  /**
   * Tops the queue up. @returns whether there is work under way, so that the next look should come soon.
   * @throws when the queue or the database cannot be reached.
   */
  async run(lane: LaneState, slots: OpenSlot[]): Promise<boolean> {
    if (lane.state !== 'closed' || lane.paused) {
      this.rewind();
      if (lane.state !== 'closed' && lane.probeDue) await this.probe(lane, slots);
      return false;
    }
    this.fresh.keepOnly(slots);
    this.retries.keepOnly(slots);
    if (slots.length === 0) return false;

    const waiting = await this.options.queue.waiting();
    queueWaiting.set({ lane: lane.name }, waiting);
    this.measure(waiting);
    if (waiting === 0) {
      this.fresh.forgetFed();
      this.retries.forgetFed();
    }
    const ahead = this.lookAhead(lane);
    const room = ahead - waiting;
    if (room < ahead * LEAST_ROOM_SHARE) return true;

    const due = await this.find(this.retries, findDueRetries, slots, Math.ceil(room * RETRY_SHARE));
    const rest = room - due.length;
    const found = [...due, ...(await this.find(this.fresh, findFresh, slots, rest))];
    await this.feed(lane, found);
    return true;
  }

  /** Something changed: what was skipped may be due now. */
  rewind(): void {
    this.fresh.rewind();
    this.retries.rewind();
  }

  /** More messages were planned. */
  goOn(): void {
    this.fresh.goOn();
  }

  close(): Promise<void> {
    return this.options.queue.close();
  }

  private async find(
    scan: Scan,
    query: typeof findFresh,
    slots: OpenSlot[],
    room: number,
  ): Promise<DueMessage[]> {
    const positions = scan.positions(slots, room, (slot) => this.allowance(slot));
    if (positions.length === 0) return [];
    const found = scan.advance(positions, await query(this.options.read, positions));
    for (const message of found) this.spend(message.mailingId);
    return found;
  }

  private async feed(lane: LaneState, found: DueMessage[]): Promise<void> {
    if (found.length === 0) return;
    const items = interleave(found).map(({ id, attempts }) => ({ messageId: id, attempts }));
    try {
      await this.options.queue.feed(items, this.options.clock.now().getTime());
    } catch (error) {
      this.rewind(); // whatever did not arrive must be found again
      throw error;
    }
    if (this.last) this.last.fed += items.length;
    jobsFed.inc({ lane: lane.name }, items.length);
  }

  private async probe(lane: LaneState, slots: OpenSlot[]): Promise<void> {
    const { db, read, queue, clock, logger } = this.options;
    const positions = this.fresh.positions(slots, 1, () => 1);
    const [candidate] = [
      ...(await findDueRetries(read, positions)),
      ...(await findFresh(read, positions)),
    ];
    this.rewind();
    if (!candidate) return;
    const generation = await takeProbeIfDue(db, lane.id);
    if (generation === null) return;
    logger.info({ lane: lane.name, message: candidate.id }, 'probing');
    await queue.probe({ messageId: candidate.id, probe: generation }, clock.now().getTime());
  }

  /** What left the queue since the last look, per second. */
  private measure(waiting: number): void {
    const at = this.options.clock.monotonic();
    if (this.last && at > this.last.at) {
      const drained = Math.max(0, this.last.waiting + this.last.fed - waiting);
      const rate = (drained * 1000) / (at - this.last.at);
      this.throughput += SMOOTHING * (rate - this.throughput);
    }
    this.last = { waiting, fed: 0, at };
  }

  private lookAhead(lane: LaneState): number {
    const wanted = Math.max(2 * this.options.concurrency, Math.ceil(this.throughput));
    const limited =
      lane.ratePerSecond === null ? wanted : Math.min(wanted, ahead(lane.ratePerSecond));
    return Math.min(limited, MOST_AHEAD);
  }

  /** With a rate of its own a mailing gets no more jobs than it can use: the others need the room. */
  private allowance({ mailingId, ratePerSecond }: OpenSlot): number {
    if (ratePerSecond === null) {
      this.allowances.delete(mailingId);
      return Infinity;
    }
    const now = this.options.clock.monotonic();
    const most = ahead(ratePerSecond);
    const known = this.allowances.get(mailingId) ?? { tokens: most, at: now };
    const gained = ((now - known.at) / 1000) * ratePerSecond * RATE_HEADROOM;
    const tokens = Math.min(most, known.tokens + gained);
    this.allowances.set(mailingId, { tokens, at: now });
    return Math.floor(tokens);
  }

  private spend(mailingId: number): void {
    const known = this.allowances.get(mailingId);
    if (known) known.tokens--;
  }
}

function ahead(ratePerSecond: number): number {
  return Math.max(2, Math.ceil(ratePerSecond * RATE_AHEAD_S));
}

/** One of each mailing in turn, so that a small one never waits behind a huge one. */
function interleave(messages: DueMessage[]): DueMessage[] {
  const groups = [...Map.groupBy(messages, (message) => message.mailingId).values()];
  if (groups.length < 2) return messages;
  const longest = Math.max(...groups.map((group) => group.length));
  return Array.from({ length: longest }, (_, index) =>
    groups.flatMap((group) => group[index] ?? []),
  ).flat();
}
