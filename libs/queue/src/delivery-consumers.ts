import { randomUUID } from 'node:crypto';
import { type Clock, type Logger, messageOf } from '@app/platform';
import { bounded, NoAnswer } from './bounded.js';
import { isPostgres } from './connections.js';
import { SharedBackend } from './shared-backend.js';
import type { Bell } from './taking/bell.js';
import { type LaneStore, RedisStore } from './taking/lane-store.js';
import { type DeliveryHandler, LaneTaker } from './taking/lane-taker.js';
import { LaneWatch } from './taking/lane-watch.js';
import { Places } from './taking/places.js';
import { PostgresBell } from './taking/postgres-bell.js';
import { Completions, PostgresStore } from './taking/postgres-store.js';
import { RedisBell } from './taking/redis-bell.js';
import { queueTroubles } from './troubles.js';

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

/** How often locks and lanes that are due are handled, ms. */
const TICK_MS = 1_000;
/** Lanes are looked at in turn, so far apart, ms, but each within these limits. */
const LOOK_APART_MS = 150;
const LOOK_LEAST_MS = 5_000;
const LOOK_MOST_MS = 30_000;
/** Looks in a row without an answer after which the connection counts as lost. */
const SILENT_LOOKS = 2;

interface OpenLane {
  taker: LaneTaker;
  watch: LaneWatch;
  lookedAt: number;
}

/**
 * The consuming end of the queues of all lanes in this process, over one connection to Redis or one pool
 * to PostgreSQL, and one more connection for notifications of new jobs. The lanes share the process's places.
 */
export class DeliveryConsumers {
  private readonly id = randomUUID();
  private readonly shared: SharedBackend;
  private readonly bell: Bell;
  private readonly places: Places;
  private readonly completions: Completions;
  private readonly lanes = new Map<string, OpenLane>();
  /** In the order of their turns. */
  private readonly turns = new Set<LaneTaker>();
  private readonly timer: NodeJS.Timeout;
  private silentLooks = 0;
  private pumpIsDue = false;
  private refusedAt = -Infinity;

  constructor(private readonly options: ConsumersOptions) {
    const { url, prefix, places, clock } = options;
    this.shared = new SharedBackend({
      url,
      prefix,
      purpose: 'taking',
      queue: { skipMetasUpdate: true },
      onError: (error) => {
        this.noteRefusal(error);
      },
      onReady: () => {
        this.ringAll();
      },
    });
    this.places = new Places(places);
    this.completions = new Completions(this.shared, clock);
    const bell = {
      asleep: () => [...this.turns].filter(({ isAsleep }) => isAsleep).map(({ name }) => name),
      ring: (lane: string, dueAt?: number) => {
        this.ring(lane, dueAt);
      },
      ringAll: () => {
        this.ringAll();
      },
      onError: (error: unknown) => {
        this.noteRefusal(error);
      },
    };
    this.bell = isPostgres(url)
      ? new PostgresBell(url, bell)
      : new RedisBell(url, this.shared, bell);
    this.timer = setInterval(() => {
      this.tick();
    }, TICK_MS);
    this.timer.unref();
  }

  /** @throws Error when the lane is open already. */
  open(lane: string, handle: DeliveryHandler, { places }: LaneOptions = {}): LaneConsumer {
    if (this.lanes.has(lane)) throw new Error(`The lane ${lane} is open already`);
    const { clock, logger } = this.options;
    const store = this.storeOf(lane);
    const taker = new LaneTaker({
      lane,
      handle,
      cap: Math.min(places ?? Infinity, this.places.total),
      store,
      places: this.places,
      clock,
      logger,
      onChange: () => {
        this.pumpSoon();
      },
      onSleep: () => {
        this.bell.watch();
      },
      onRefusal: (error) => {
        this.noteRefusal(error, lane);
      },
    });
    const watch = new LaneWatch({ lane, taker, store, shared: this.shared, clock, logger });
    this.lanes.set(lane, { taker, watch, lookedAt: -Infinity });
    this.turns.add(taker);
    this.places.add(taker);
    this.pumpSoon();
    return {
      get inFlight() {
        return taker.inFlight;
      },
      pause: (ms) => {
        taker.rest(ms);
      },
      stalledForMs: () => watch.stalledForMs(),
      close: () => this.closeLane(lane, taker),
    };
  }

  /** How long the lane that has stalled for the longest time has done so, ms; 0: none has. */
  stalledForMs(): number {
    return Math.max(0, ...[...this.lanes.values()].map(({ watch }) => watch.stalledForMs()));
  }

  /** Closes all lanes, then the connections. It never fails. */
  async close(): Promise<void> {
    await Promise.all([...this.lanes].map(([lane, { taker }]) => this.closeLane(lane, taker)));
    clearInterval(this.timer);
    await this.bell.close();
    await this.shared.close();
  }

  private async closeLane(lane: string, taker: LaneTaker): Promise<void> {
    await taker.close();
    if (this.lanes.get(lane)?.taker !== taker) return;
    this.lanes.delete(lane);
    this.turns.delete(taker);
    this.places.remove(taker);
    this.shared.forget(lane);
    queueTroubles.clear(takingOf(lane), this.options.logger);
  }

  private storeOf(lane: string): LaneStore {
    const { url, clock } = this.options;
    return isPostgres(url)
      ? new PostgresStore(this.shared, lane, this.id, clock, this.completions)
      : new RedisStore(this.shared, lane, this.id, clock);
  }

  /** What changes in one turn of the event loop is handled together: places are given by the batch. */
  private pumpSoon(): void {
    if (this.pumpIsDue) return;
    this.pumpIsDue = true;
    setImmediate(() => {
      this.pumpIsDue = false;
      this.pump();
    });
  }

  /** Gives free places to the lanes that have jobs waiting, in turn. */
  private pump(): void {
    for (const taker of this.turns) {
      if (!taker.wantsToFetch) continue;
      const room = this.places.roomFor(taker);
      if (room === 0) continue;
      // To the end, where this loop comes to it again.
      this.turns.delete(taker);
      this.turns.add(taker);
      taker.fetch(room);
    }
  }

  private ring(lane: string, dueAt: number | undefined): void {
    const taker = this.lanes.get(lane)?.taker;
    if (taker && dueAt !== undefined && dueAt > this.options.clock.now().getTime()) {
      taker.ringAt(dueAt);
    } else if (!taker?.ring() || this.places.roomFor(taker) === 0) {
      this.bell.passOn(lane);
    }
    if (!taker) this.shared.forget(lane);
  }

  private ringAll(): void {
    for (const taker of this.turns) taker.ring();
  }

  private tick(): void {
    const now = this.options.clock.monotonic();
    const apart = this.lanes.size * LOOK_APART_MS;
    const every = Math.min(LOOK_MOST_MS, Math.max(LOOK_LEAST_MS, apart));
    for (const lane of this.lanes.values()) {
      void lane.taker.renewLocks();
      if (now - lane.lookedAt < every) continue;
      lane.lookedAt = now;
      void this.look(lane);
    }
  }

  private async look({ watch, taker }: OpenLane): Promise<void> {
    try {
      await bounded(watch.look());
      this.silentLooks = 0;
      const isServed = this.options.clock.monotonic() - this.refusedAt > 2 * LOOK_LEAST_MS;
      if (isServed) queueTroubles.clear(takingOf(taker.name), this.options.logger);
    } catch (error) {
      this.noteRefusal(error, taker.name);
      if (error instanceof NoAnswer) this.silentLooks++;
      if (!this.shared.isDead && this.silentLooks < SILENT_LOOKS) return;
      this.silentLooks = 0;
      this.options.logger.warn('the queue does not answer');
      this.shared.renew();
    }
  }

  /** @param lane all of them, by default */
  private noteRefusal(error: unknown, lane?: string): void {
    const { logger, clock } = this.options;
    logger.debug({ lane, error: messageOf(error) }, 'queue connection');
    this.refusedAt = clock.monotonic();
    const lanes = lane === undefined ? this.lanes.keys() : [lane];
    for (const name of lanes) queueTroubles.note(takingOf(name), error, logger);
  }
}

/** The name under which errors of taking jobs are kept. */
function takingOf(lane: string): string {
  return `${lane}, taking jobs`;
}
