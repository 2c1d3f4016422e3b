import { type Clock, type Logger } from '@app/platform';
import { STALLED_CHECK_MS } from '../connections.js';
import type { SharedBackend } from '../shared-backend.js';
import type { LaneStore } from './lane-store.js';
import type { LaneTaker } from './lane-taker.js';

export interface LaneWatchOptions {
  lane: string;
  taker: LaneTaker;
  store: LaneStore;
  shared: SharedBackend;
  clock: Clock;
  logger: Logger;
}

/** A lane that took or ended a job within this time is not looked at, ms. */
const LATELY_MS = 4_000;

/** Looks at one lane now and then: for jobs without a notification, and whether it has stalled. */
export class LaneWatch {
  /** Since when jobs wait, at every look; null: none does, or the queue is away. */
  private backlogSince: number | null = null;
  private checkedStalledAt = -Infinity;

  constructor(private readonly options: LaneWatchOptions) {}

  /** How long jobs have been waiting while none was taken and none in hand ended, ms. */
  stalledForMs(): number {
    const { taker, clock } = this.options;
    if (this.backlogSince === null || taker.isAsleep) return 0;
    return clock.monotonic() - Math.max(this.backlogSince, taker.movedAt);
  }

  /** @throws the queue's error, or NoAnswer. */
  async look(): Promise<void> {
    const { taker, store, lane, shared, clock, logger } = this.options;
    const now = clock.monotonic();
    const { isAsleep } = taker;
    if (isAsleep) {
      this.backlogSince = null;
      taker.ring(); // it fetches, which says more than a count
    }
    try {
      // Mailings and channels are paused, never the queue: what somebody paused by the queue's own
      // means would stop without a visible reason.
      if (await shared.backend(lane).hasQueueMetaField('paused')) {
        await shared.queue(lane).resume();
        logger.warn({ lane }, 'the queue was paused by hand: it is resumed');
        taker.ring();
      }
      if (now - this.checkedStalledAt > STALLED_CHECK_MS) {
        this.checkedStalledAt = now;
        await store.returnStalled();
      }
      if (isAsleep || now - taker.movedAt < LATELY_MS) return;
      const waiting = await shared.queue(lane).getJobCountByTypes('waiting', 'prioritized');
      if (waiting === 0) this.backlogSince = null;
      else this.backlogSince ??= now;
    } catch (error) {
      this.backlogSince = null;
      throw error;
    }
  }
}
