import type { JobJson, Queue } from 'bullmq';
import { type Logger, messageOf } from '@app/platform';
import { createQueue, type OpenQueue } from './backend.js';
import { bounded } from './bounded.js';
import { DELIVER, type DeliveryJob, deliveryJobId } from './jobs.js';

/** Jobs that are added at a time: all that they need lives until the answer, so more cost memory. */
const BULK = 100;
/**
 * The queue's own retries serve jobs that failed before their claim (database unreachable). A job that
 * failed for good must not stay: its id would keep the same attempt out of the queue for ever. What
 * becomes of jobs that are not ours is the consumer's to say.
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
 * seconds, whatever the queue does.
 */
export class DeliveryQueue {
  private readonly queue: Queue;
  private readonly opened: OpenQueue;

  constructor(url: string, lane: string, logger: Logger) {
    this.opened = createQueue(lane, url, {
      streams: { events: { maxLen: 100 } },
    });
    this.queue = this.opened.queue;
    this.queue.on('error', (error) => {
      logger.debug({ lane, error: messageOf(error) }, 'queue connection');
    });
  }

  /**
   * Adds jobs; one that is already there is left alone. Rejects when the queue is unreachable.
   *
   * They go to the queue's backend as they are stored: `addBulk` would make an object of each one,
   * check options that are ours, and repeat its id in them, which is a sixth of what adding costs here.
   */
  async feed(items: FeedItem[], nowMs: number): Promise<void> {
    for (let start = 0; start < items.length; start += BULK) {
      const jobs = items.slice(start, start + BULK).map((item) => entryOf(item, nowMs));
      await bounded(this.queue.backend.addJobs(jobs));
    }
  }

  /** Adds the job that carries a breaker's probe token. */
  async probe(job: DeliveryJob & { probe: number }, nowMs: number): Promise<void> {
    const jobId = `probe-${job.probe}-${nowMs}`;
    await bounded(this.queue.add(DELIVER, job, { ...JOB_OPTIONS, attempts: 1, jobId, lifo: true }));
  }

  /** Jobs that nobody has taken yet. */
  async waiting(): Promise<number> {
    return bounded(this.queue.getJobCountByTypes('waiting', 'prioritized', 'delayed'));
  }

  async close(): Promise<void> {
    await this.opened.close().catch(() => undefined);
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
