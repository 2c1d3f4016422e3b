import { DelayedError, type Job, UnrecoverableError, type Worker } from 'bullmq';
import { type Logger, messageOf } from '@app/platform';
import { createWorker } from './backend.js';
import { bounded } from './bounded.js';
import { DeliveryQueue } from './delivery-queue.js';
import { queueTroubles } from './troubles.js';
import { type DeliveryJob, parseDeliveryJob } from './jobs.js';

export interface ConsumerOptions {
  url: string;
  /** See `readQueuePrefix`. */
  prefix: string;
  lane: string;
  concurrency: number;
  logger: Logger;
  /**
   * Resolves when the job is done with, in whatever way, or with the time after which it is to come
   * again; rejects to have the queue retry it.
   */
  handle: (job: DeliveryJob) => Promise<{ againInMs: number } | undefined>;
}

const WATCH_INTERVAL_MS = 5_000;
/** With room for work, jobs waiting, and none taken for this long, the connection is taken for dead. */
const STUCK_AFTER_MS = 15_000;
const DRAIN_LIMIT_MS = 14_000;
const LET_GO_MS = 1_000;
/** Failed jobs that stay for the inspector. */
const KEEP_FAILED = 1_000;

/**
 * The consuming end of one lane's queue. Workers have been seen "running" but deaf after a failover
 * of their backend, so a watchdog opens a new one when jobs wait and none arrives.
 */
export class DeliveryConsumer {
  private worker: Worker;
  private queue: DeliveryQueue;
  private readonly watchdog: NodeJS.Timeout;
  private active = 0;
  private lastJobAt = performance.now();
  /** A job was taken or ended. */
  private movedAt = performance.now();
  /** Since when jobs wait, at every look; null: none does, or the queue is away. */
  private backlogSince: number | null = null;
  private refusedAt = -Infinity;
  private waitingSince: number | null = null;
  private closing = false;
  private watching = false;
  private whenIdle: (() => void) | undefined;

  constructor(private readonly options: ConsumerOptions) {
    this.queue = new DeliveryQueue(options.url, options.lane, options.logger, options.prefix);
    this.worker = this.open();
    this.watchdog = setInterval(() => void this.watch(), WATCH_INTERVAL_MS);
    this.watchdog.unref();
  }

  /** Jobs in hand. */
  get inFlight(): number {
    return this.active;
  }

  /** How long jobs have been waiting although there is room for them, ms; 0 when all is well. */
  stuckForMs(): number {
    return this.waitingSince === null ? 0 : performance.now() - this.waitingSince;
  }

  /** How long jobs have been waiting while none was taken and none in hand ended, ms. */
  stalledForMs(): number {
    if (this.backlogSince === null) return 0;
    return performance.now() - Math.max(this.backlogSince, this.movedAt);
  }

  /** Takes no new jobs for so long, for others to take them; those in hand go on. */
  pauseFor(ms: number): void {
    const { worker } = this;
    if (this.closing || worker.isPaused()) return;
    const { lane, logger } = this.options;
    const report = (error: unknown) => {
      logger.warn({ lane, error: messageOf(error) }, 'the pause of the consumer failed');
    };
    worker.pause(true).catch(report);
    setTimeout(() => {
      if (!this.closing) worker.resume().catch(report);
    }, ms).unref();
  }

  /**
   * Takes no new jobs, waits for those in hand, and lets go of the backend, in that order and each
   * within a limit: with the backend gone the client library would wait for it for ever.
   */
  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.watchdog);
    const closed = this.worker.close();
    await bounded(this.untilIdle(), DRAIN_LIMIT_MS).catch(() => {
      this.options.logger.warn({ jobs: this.active }, 'jobs in hand did not end in time');
    });
    await bounded(closed, LET_GO_MS)
      .catch(() => bounded(this.worker.close(true), LET_GO_MS))
      .catch(() => undefined);
    await bounded(this.queue.close(), LET_GO_MS).catch(() => undefined);
  }

  /** Under which name what the queue says to the taking of jobs is known. */
  private get taking(): string {
    return `${this.options.lane}, taking jobs`;
  }

  private untilIdle(): Promise<void> {
    return this.active === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.whenIdle = resolve;
        });
  }

  private open(): Worker {
    const { url, prefix, lane, concurrency, logger } = this.options;
    const worker = createWorker(lane, url, (job, token) => this.process(job, token), {
      prefix,
      concurrency,
      maxStalledCount: 100,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: KEEP_FAILED },
      drainDelay: 5,
    });
    worker.on('error', (error) => {
      logger.debug({ lane, error: messageOf(error) }, 'queue connection');
      this.refusedAt = performance.now();
      queueTroubles.note(this.taking, error, logger);
    });
    worker.on('failed', (job, error) => {
      logger.warn({ lane, job: job?.id, error: messageOf(error) }, 'job failed');
    });
    return worker;
  }

  private async process(job: Job, token: string | undefined): Promise<void> {
    this.lastJobAt = this.movedAt = performance.now();
    this.active++;
    try {
      const later = await this.options.handle(readJob(job.data));
      if (later) await putOff(job, later.againInMs, token);
    } finally {
      this.active--;
      this.movedAt = performance.now();
      if (this.active === 0) this.whenIdle?.();
    }
  }

  /**
   * Without an answer nobody knows whether the queue is gone or only this connection, which may have
   * died without a word and would stay dead: the next look takes a new one.
   */
  private async countWaiting(): Promise<number> {
    try {
      const { lane, logger } = this.options;
      if (await this.queue.resumeIfPaused()) {
        logger.warn({ lane }, 'the queue had been paused by hand: it goes on');
      }
      const waiting = await this.queue.takeable();
      if (waiting === 0) this.backlogSince = null;
      else this.backlogSince ??= performance.now();
      if (performance.now() - this.refusedAt > 2 * WATCH_INTERVAL_MS) {
        queueTroubles.clear(this.taking, logger);
      }
      return waiting;
    } catch {
      this.backlogSince = null;
      const { url, prefix, lane, logger } = this.options;
      void this.queue.close();
      this.queue = new DeliveryQueue(url, lane, logger, prefix);
      return 0;
    }
  }

  private async watch(): Promise<void> {
    if (this.watching) return;
    this.watching = true;
    try {
      await this.reopenIfStuck();
    } finally {
      this.watching = false;
    }
  }

  private async reopenIfStuck(): Promise<void> {
    const waiting = await this.countWaiting();
    const quiet = performance.now() - this.lastJobAt > WATCH_INTERVAL_MS;
    if (waiting === 0 || !quiet || this.active >= this.options.concurrency)
      this.waitingSince = null;
    else this.waitingSince ??= performance.now();
    if (this.stuckForMs() < STUCK_AFTER_MS || this.closing) return;
    this.options.logger.warn(
      { lane: this.options.lane, waiting },
      'jobs wait and none arrives: reconnecting',
    );
    const old = this.worker;
    this.worker = this.open();
    this.waitingSince = null;
    await bounded(old.close(true), 5_000).catch(() => undefined);
  }
}

function readJob(data: unknown): DeliveryJob {
  try {
    return parseDeliveryJob(data);
  } catch (error) {
    // A poison job goes to the failed ones at once, where the inspector shows it.
    throw new UnrecoverableError(messageOf(error));
  }
}

/** Gives the job's place away; it keeps its tries. @throws DelayedError, by which the client knows. */
async function putOff(job: Job, ms: number, token: string | undefined): Promise<never> {
  await job.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}
