import type { JobJson, Queue } from 'bullmq';
import { type Logger, messageOf } from '@app/platform';
import { bounded, NoAnswer } from './bounded.js';
import type { SharedBackend } from './shared-backend.js';
import { queueTroubles } from './troubles.js';
import { DELIVER, type DeliveryJob, deliveryJobId } from './jobs.js';

/** Jobs that are added at a time: all that they need lives until the answer, so more cost memory. */
const BULK = 100;
/**
 * The queue's own retries serve jobs that failed before their claim (database unreachable). A job that
 * failed for good must not stay: its id would keep the same attempt out of the queue for ever. The
 * consumer decides what becomes of jobs that are not ours.
 */
const JOB_OPTIONS = {
  attempts: 6,
  backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
  removeOnFail: true,
} as const;

export interface FeedItem extends DeliveryJob {
  attempts: number;
  /** How often it has been given for this attempt, this time included. Default 1. */
  offers?: number;
}

/**
 * The producing end of one lane's queue, which has the name of the lane. Every call ends within
 * seconds, whatever the queue does. Opened by `DeliveryQueues`.
 */
export class DeliveryQueue {
  constructor(
    private readonly shared: SharedBackend,
    private readonly lane: string,
    private readonly logger: Logger,
    private readonly forget: () => void,
  ) {}

  /**
   * Adds jobs; one that is already there is left alone. Rejects when the queue is unreachable.
   *
   * They go to the queue's backend as they are stored: `addBulk` would make an object of each one,
   * check options that are ours, and repeat its id in them, which is a sixth of what adding costs here.
   */
  async feed(items: FeedItem[], nowMs: number): Promise<void> {
    for (let start = 0; start < items.length; start += BULK) {
      const jobs = items.slice(start, start + BULK).map((item) => entryOf(item, nowMs));
      await this.ask((queue) => queue.backend.addJobs(jobs));
    }
  }

  /** Adds the job that carries a breaker's probe token. */
  async probe(job: DeliveryJob & { probe: number }, nowMs: number): Promise<void> {
    const jobId = `probe-${job.probe}-${nowMs}`;
    const options = { ...JOB_OPTIONS, attempts: 1, jobId, lifo: true };
    await this.ask((queue) => queue.add(DELIVER, job, options));
  }

  /** Jobs that nobody has taken yet. */
  async waiting(): Promise<number> {
    return this.ask((queue) => queue.getJobCountByTypes('waiting', 'prioritized', 'delayed'));
  }

  /** Its jobs stay. It never fails. */
  close(): Promise<void> {
    this.forget();
    return Promise.resolve();
  }

  /** Within the time limit; an error has the queue's own last error in its message. */
  private async ask<T>(work: (queue: Queue) => Promise<T>): Promise<T> {
    const queue = this.shared.queue(this.lane);
    try {
      const answer = await bounded(work(queue));
      queueTroubles.clear(this.lane, this.logger);
      return answer;
    } catch (error) {
      if (error instanceof NoAnswer || this.shared.isDead) {
        this.shared.renew(this.lane, queue.backend);
      }
      const said = queueTroubles.of(this.lane);
      if (said === null) queueTroubles.note(this.lane, error, this.logger);
      if (said === null || messageOf(error).includes(said)) throw error;
      throw new Error(`${messageOf(error)}: ${said}`, { cause: error });
    }
  }
}

function entryOf(item: FeedItem, nowMs: number): { job: JobJson; jobId: string } {
  const { attempts, offers, ...data } = item;
  const jobId = deliveryJobId(data.messageId, attempts, offers);
  return {
    jobId,
    job: {
      id: jobId,
      name: DELIVER,
      data: JSON.stringify(data),
      opts: JOB_OPTIONS,
      timestamp: nowMs,
      progress: 0,
      attemptsMade: 0,
      attemptsStarted: 0,
      stalledCounter: 0,
      failedReason: 'null',
      returnvalue: 'null',
    },
  };
}
