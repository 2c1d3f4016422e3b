import type { Outcome } from '@app/channels';
import type { Queryable } from '@app/database';
import { type Clock, type Logger, messageOf } from '@app/platform';
import {
  type BreakerReason,
  closeBreakerIfProbing,
  reopenBreakerIfProbing,
  returnProbe,
  tripBreakerIfClosed,
} from './breaker.queries.js';
import { pauseLane } from '../pause/pause.queries.js';
import { BreakerWindow } from './breaker.js';
import { verdictOf } from './verdict.js';

/** The pause of a lane whose provider says 429 without saying for how long, ms. */
export const RATE_LIMITED_DELAY_MS = 5_000;
/** Pauses that end this close to each other are one. */
const PAUSE_STEP_MS = 250;

export interface LaneBreakerOptions {
  db: Queryable;
  lane: { id: number; name: string };
  clock: Clock;
  logger: Logger;
}

/** What is known of the attempt that had an outcome. */
export interface ObservedAttempt {
  /** The breaker's at the claim: an outcome from before it closed does not count. */
  generation: number;
  /** The generation of the token that this attempt carried, if it was the breaker's probe. */
  probe: number | undefined;
}

/**
 * Opens, closes and pauses a lane by the outcomes of its calls. It only observes: whether a message may
 * be sent is decided by the claim.
 */
export class LaneBreaker {
  private readonly window: BreakerWindow;
  private pausedUntil = 0;

  constructor(private readonly options: LaneBreakerOptions) {
    this.window = new BreakerWindow(options.clock);
  }

  /**
   * Counts an outcome at once; ends when the lane's row has the new state. Never fails: what
   * cannot be written is logged, and the next bad outcome brings it again.
   */
  async observe(outcome: Outcome, { generation, probe }: ObservedAttempt): Promise<void> {
    if (probe === undefined && verdictOf(outcome) === 'good') {
      this.window.good();
      return;
    }
    try {
      if (outcome.kind === 'unavailable' && outcome.scope === 'rate') {
        await this.pause(outcome.retryAfterMs ?? RATE_LIMITED_DELAY_MS);
      }
      if (probe === undefined) await this.observeBadCall(outcome, generation);
      else await this.observeProbe(outcome, probe);
    } catch (error) {
      const { lane, logger } = this.options;
      logger.warn({ lane: lane.name, error: messageOf(error) }, 'the breaker could not be updated');
    }
  }

  /** A probe token was used for no message. @throws when the database is away. */
  async returnProbe(probe: number): Promise<void> {
    await returnProbe(this.options.db, this.options.lane.id, probe);
  }

  /** Many answers of 429 are written as one pause. */
  private async pause(ms: number): Promise<void> {
    const until = this.options.clock.monotonic() + ms;
    if (until < this.pausedUntil + PAUSE_STEP_MS) return;
    this.pausedUntil = until;
    await pauseLane(this.options.db, this.options.lane.id, ms);
  }

  private async observeBadCall(outcome: Outcome, generation: number): Promise<void> {
    const { db, lane, logger } = this.options;
    const verdict = verdictOf(outcome);
    if (verdict === 'neutral') return;
    const tooMany = this.window.bad();
    if (!tooMany && verdict !== 'fatal') return;
    this.window.reset();
    const reason = reasonOf(outcome);
    if (await tripBreakerIfClosed(db, { laneId: lane.id, generation, ...reason })) {
      const { code, detail } = reason;
      logger.warn({ lane: lane.name, reason: `${code}: ${detail ?? ''}` }, 'the breaker opened');
    }
  }

  private async observeProbe(outcome: Outcome, generation: number): Promise<void> {
    const { db, lane, logger } = this.options;
    const verdict = verdictOf(outcome);
    const probe = { laneId: lane.id, generation };
    if (verdict === 'good') {
      this.window.reset();
      if (await closeBreakerIfProbing(db, probe)) {
        logger.info({ lane: lane.name }, 'the breaker closed');
      }
    } else if (verdict === 'neutral') {
      await this.returnProbe(generation);
    } else {
      await reopenBreakerIfProbing(db, { ...probe, ...reasonOf(outcome) });
    }
  }
}

function reasonOf(outcome: Outcome): BreakerReason {
  // A success opens no breaker.
  if (outcome.kind === 'delivered') return { code: 'delivered', detail: null };
  return { code: outcome.code, detail: outcome.detail };
}
