import { UnrecoverableError } from 'bullmq';
import { type Clock, type Logger, messageOf } from '@app/platform';
import { bounded } from '../bounded.js';
import { LOCK_MS } from '../connections.js';
import { type DeliveryJob, parseDeliveryJob } from '../jobs.js';
import { type Fetched, dataOf, isLost, type LaneStore, type TakenJob } from './lane-store.js';
import type { Holder, Places } from './places.js';

/** A job that is not finished: it comes again after this time, ms. */
export interface Delayed {
  againInMs: number;
}

/**
 * Resolves when the job is finished, in whatever way, or with the time after which it is to come
 * again; rejects to have the queue retry it.
 */
export type DeliveryHandler = (job: DeliveryJob) => Promise<Delayed | undefined>;

export interface LaneTakerOptions {
  lane: string;
  handle: DeliveryHandler;
  /** Most places. */
  cap: number;
  store: LaneStore;
  places: Places;
  clock: Clock;
  logger: Logger;
  /** It may need a place, or has given one back. */
  onChange: () => void;
  /** It has nothing to do until somebody wakes it. */
  onSleep: () => void;
  /** The queue refused something. */
  onRefusal: (error: unknown) => void;
}

/** Pause after a failure, ms: a server that restarts does not get all requests at once. */
const RETRY_MS = 500;
const DRAIN_LIMIT_MS = 14_000;
const RELEASE_MS = 1_000;
/** Fetches at a time: one more after each that brings a job, up to so many. */
const MOST_FETCHES = 8;
const LONGEST_TIMER_MS = 3_600_000;

/**
 * Takes the jobs of one lane. It is awake while there may be jobs that wait; it falls asleep when a
 * fetch finds none, and somebody has to wake it: the doorbell, the time of a delayed job, a look.
 */
export class LaneTaker implements Holder {
  held = 0;
  isAwake = true;
  readonly cap: number;
  /** On the monotonic clock, ms: a job was taken or ended. */
  movedAt: number;
  private readonly inHand = new Set<TakenJob>();
  private fetches = 0;
  private mostFetches = 1;
  /** How often it was notified. What a fetch found is outdated if a notification came since. */
  private rings = 0;
  private closing = false;
  private restsUntil = 0;
  private restTimer: NodeJS.Timeout | undefined;
  private delayTimer: NodeJS.Timeout | undefined;
  /** Jobs whose handler has not ended. */
  private handling = 0;
  /** Called for each job that ends while it closes. */
  private whenLess: (() => void) | undefined;

  constructor(private readonly options: LaneTakerOptions) {
    this.cap = options.cap;
    this.movedAt = options.clock.monotonic();
  }

  get name(): string {
    return this.options.lane;
  }

  /** Jobs in hand. */
  get inFlight(): number {
    return this.inHand.size;
  }

  /** Takes nothing for a time, or for good. */
  get isResting(): boolean {
    return this.closing || this.restTimer !== undefined;
  }

  /** Waits to be woken. */
  get isAsleep(): boolean {
    return !this.isAwake && !this.isResting;
  }

  get wantsToFetch(): boolean {
    return this.isAwake && this.fetches < this.mostFetches;
  }

  /** There may be jobs that wait. @returns whether it can take them. */
  ring(): boolean {
    this.rings++;
    if (this.isResting) return false;
    if (!this.isAwake) {
      this.setAwake(true);
      this.options.onChange();
    }
    return true;
  }

  /** A delayed job is due at that time, Unix time in ms. */
  ringAt(unixMs: number): void {
    const ms = Math.max(0, unixMs - this.options.clock.now().getTime());
    clearTimeout(this.delayTimer);
    this.delayTimer = setTimeout(() => this.ring(), Math.min(ms, LONGEST_TIMER_MS));
    this.delayTimer.unref();
  }

  /** Takes nothing for so long, ms; jobs in hand go on. */
  rest(ms: number): void {
    const until = this.options.clock.monotonic() + ms;
    if (this.closing || until <= this.restsUntil) return;
    this.restsUntil = until;
    clearTimeout(this.restTimer);
    this.setAwake(false);
    this.restTimer = setTimeout(() => {
      this.restTimer = undefined;
      this.ring();
    }, ms);
    this.restTimer.unref();
  }

  /** Looks for jobs. @param room how many it may take; it holds their places from now on. */
  fetch(room: number): void {
    const count = Math.min(room, this.options.store.most);
    this.options.places.take(this, count);
    this.fetches++;
    void this.fetchAndRun(count);
  }

  /** Renews the locks of the jobs in hand, so that no other process takes them. */
  async renewLocks(): Promise<void> {
    const now = this.options.clock.monotonic();
    const old = [...this.inHand].filter(({ lockedAt }) => now - lockedAt > LOCK_MS / 4);
    if (old.length === 0) return;
    try {
      const lost = await this.options.store.renewLocks(old);
      for (const job of old) job.lockedAt = now;
      if (lost.length > 0) {
        this.options.logger.debug({ lane: this.name, jobs: lost }, 'locks were lost');
      }
    } catch (error) {
      this.options.onRefusal(error);
    }
  }

  /**
   * Takes no new jobs, waits for those in hand, and then for the queue to record their ends, each within
   * a limit: without the backend it would wait for ever. It never fails.
   */
  async close(): Promise<void> {
    this.closing = true;
    this.setAwake(false);
    clearTimeout(this.restTimer);
    clearTimeout(this.delayTimer);
    await this.until(() => this.handling === 0, DRAIN_LIMIT_MS);
    if (this.handling > 0) {
      const { lane, logger } = this.options;
      logger.warn({ lane, jobs: this.handling }, 'jobs in hand did not end in time');
    }
    await this.until(() => this.held === 0, RELEASE_MS);
  }

  private async until(isDone: () => boolean, limitMs: number): Promise<void> {
    if (isDone()) return;
    const done = new Promise<void>((resolve) => {
      this.whenLess = () => {
        if (isDone()) resolve();
      };
    });
    await bounded(done, limitMs).catch(() => undefined);
  }

  private async fetchAndRun(count: number): Promise<void> {
    const { store, places, onChange, onRefusal } = this.options;
    const { rings } = this;
    let jobs: TakenJob[] = [];
    try {
      const answer = await store.take(count);
      jobs = answer.jobs;
      this.learn(answer, jobs.length === count, rings);
    } catch (error) {
      onRefusal(error);
      this.rest(RETRY_MS);
    }
    this.fetches--;
    this.release(count - jobs.length);
    if (jobs.length > 0) this.movedAt = this.options.clock.monotonic();
    for (const job of jobs) void this.run(job);
    places.changed();
    onChange();
  }

  private learn({ jobs, delayUntil }: Fetched, mayBeMore: boolean, rings: number): void {
    if (delayUntil > 0) this.ringAt(delayUntil);
    if (mayBeMore) {
      this.mostFetches =
        this.options.store.most > 1 ? 1 : Math.min(MOST_FETCHES, this.mostFetches + 1);
      if (jobs.length > 0 && this.isAsleep) this.ring();
      return;
    }
    this.mostFetches = 1;
    if (rings === this.rings && this.isAwake) {
      this.setAwake(false);
      this.options.onSleep();
    }
  }

  /** One job after the other in the same place. */
  private async run(first: TakenJob): Promise<void> {
    for (let job: TakenJob | undefined = first; job;) {
      this.inHand.add(job);
      const next: TakenJob | undefined = await this.work(job);
      this.inHand.delete(job);
      this.movedAt = this.options.clock.monotonic();
      job = next;
    }
    this.release(1);
    this.options.onChange();
  }

  private async work(job: TakenJob): Promise<TakenJob | undefined> {
    const { store, logger, lane, places } = this.options;
    try {
      const later = await this.handle(job);
      if (later) {
        await this.settle(() => store.putOff(job, later.againInMs));
        this.ring(); // to learn when it is due
        return undefined;
      }
    } catch (error) {
      logger.warn({ lane, job: job.id, error: messageOf(error) }, 'job failed');
      await this.settle(() => store.fail(job, errorOf(error)));
      this.ring();
      return undefined;
    }
    const { rings } = this;
    const next = !this.isResting && places.mayKeep(this);
    const answer = await this.settle(() => store.complete(job, next));
    if (!answer) return undefined;
    this.learn(answer, answer.jobs.length > 0, rings);
    return answer.jobs[0];
  }

  private async handle(job: TakenJob): Promise<Delayed | undefined> {
    this.handling++;
    try {
      return await this.options.handle(readJob(job));
    } finally {
      this.handling--;
      this.whenLess?.();
    }
  }

  /**
   * Tries until the queue has done it, or the job's lock has expired: then the
   * job comes again, and is found finished.
   */
  private async settle<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const { clock, logger, lane, onRefusal } = this.options;
    const until = clock.monotonic() + LOCK_MS;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (isLost(error)) {
          logger.debug({ lane, error: messageOf(error) }, 'the queue has lost a job');
          return undefined;
        }
        onRefusal(error);
        if (clock.monotonic() > until) return undefined;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  private setAwake(isAwake: boolean): void {
    this.isAwake = isAwake;
    this.options.places.changed();
  }

  private release(count: number): void {
    this.options.places.release(this, count);
    this.whenLess?.();
  }
}

/** @throws UnrecoverableError for what is no delivery: it goes to the failed jobs at once. */
function readJob(job: TakenJob): DeliveryJob {
  const data = dataOf(job);
  try {
    return parseDeliveryJob(data);
  } catch (error) {
    throw new UnrecoverableError(messageOf(error));
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error));
}
