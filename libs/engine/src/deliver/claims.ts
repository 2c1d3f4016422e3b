import { randomInt } from 'node:crypto';
import type { ChannelPolicy } from '@app/channels';
import { passGate, type Queryable } from '@app/database';
import { Batcher, type Clock, isLocalTrouble, type Logger, messageOf } from '@app/platform';
import {
  BATCH_SIZE,
  claimDuePending,
  type ClaimedMessage,
  type LaterMessage,
  rereadClaim,
} from '@app/messages';
import { claimSize } from './metrics.js';

/** A claimed message, with the moments (on the monotonic clock, ms) that bound it. */
export interface Claim {
  message: ClaimedMessage;
  /** Before the claim was issued: the lease runs from here at the earliest. */
  claimedAt: number;
  /** Nothing is sent at or after this. */
  closesAt: number;
  /** With a rate: nothing is sent before this. */
  sendAt: number;
}

/** A rate holds the message back: its job asks again after so long. */
export interface Later {
  againInMs: number;
}

/**
 * A job asks again so long before its turn would come, for its way takes time too. In a lane with a rate
 * a message whose mailing has one is granted only shortly before its moment.
 */
const ASK_EARLY_MS = 250;
const ASK_SHORTLY_BEFORE_MS = 60;
/** The claim grants moments up to so far ahead. */
const HORIZON_MS = 500;
const LEAST_WAIT_MS = 20;
/** It asks again within this in any case: rates are changed, mailings are paused. */
const MOST_WAIT_MS = 2_000;

const REREAD_PAUSES_MS = [50, 200, 500, 1_000, 2_000];
/** Random and below 2^47, so that it is exact as a number and as a bigint. */
const CLAIM_IDS = 2 ** 47;

/** Claims messages of one lane in natural batches, one statement at a time. */
export class Claims {
  private readonly batcher: Batcher<number, Claim | Later | null>;

  constructor(
    private readonly db: Queryable,
    private readonly laneId: number,
    private readonly policy: ChannelPolicy,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.batcher = new Batcher((ids) => this.claimBatch(ids), BATCH_SIZE);
  }

  /**
   * @returns when to ask again for what a rate holds back; null when the message is not ours to send:
   * sent, paused, too late, held by another.
   * @throws when the database cannot be reached; then the job is to be tried again.
   */
  claim(messageId: number): Promise<Claim | Later | null> {
    return this.batcher.add(messageId);
  }

  /** Claims one message for the breaker's probe, which carries the token's generation. */
  async claimProbe(messageId: number, probe: number): Promise<Claim | Later | null> {
    const [claim] = await this.claimBatch([messageId], probe);
    return claim ?? null;
  }

  private async claimBatch(ids: number[], probe?: number): Promise<(Claim | Later | null)[]> {
    const claimId = randomInt(CLAIM_IDS);
    const claimedAt = this.clock.monotonic();
    let measuredAt = claimedAt;
    let rows: ClaimedMessage[];
    let later: LaterMessage[] = [];
    try {
      ({ claimed: rows, later } = await claimDuePending(this.db, {
        laneId: this.laneId,
        claimId,
        ids,
        policy: this.policy,
        ...(probe !== undefined && { probe }),
      }));
    } catch (error) {
      if (isLocalTrouble(error)) throw error; // there is no connection: nothing was asked for
      this.logger.warn({ error: messageOf(error), messages: ids.length }, 'the claim went wrong');
      ({ rows, measuredAt } = await this.reread(claimId, ids, claimedAt, error));
    }
    claimSize.observe(rows.length);
    const answeredAt = this.clock.monotonic();
    const byId = new Map<number, Claim | Later>(later.map((one) => [one.id, askAgain(one)]));
    for (const message of rows) {
      byId.set(message.id, {
        message,
        claimedAt,
        // What was left was left when the statement ran, which was after it was issued.
        closesAt: measuredAt + message.msLeft,
        sendAt: answeredAt + message.sendInMs,
      });
    }
    return ids.map((id) => {
      const answer = byId.get(id);
      byId.delete(id); // two jobs for one message: only the first has it
      return answer ?? null;
    });
  }

  /**
   * The answer got lost: whether the claim took effect is for the database to say, not for the lease.
   * Even a claim that is of no use any more is worth finding, for the sweep would have to take its
   * messages for sent. The gate lets a claim end first that is still running without us.
   */
  private async reread(
    claimId: number,
    ids: number[],
    claimedAt: number,
    cause: unknown,
  ): Promise<{ rows: ClaimedMessage[]; measuredAt: number }> {
    for (let look = 0; this.clock.monotonic() - claimedAt < this.policy.leaseMs; look++) {
      const pause = REREAD_PAUSES_MS[Math.min(look, REREAD_PAUSES_MS.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, pause));
      try {
        await passGate(this.db);
        const measuredAt = this.clock.monotonic();
        const rows = await rereadClaim(this.db, { claimId, ids });
        if (rows.length > 0) return { rows, measuredAt };
      } catch {
        continue; // the database is still away
      }
      break;
    }
    throw cause;
  }
}

function askAgain({ sendInMs }: LaterMessage): Later {
  const wait = sendInMs - (sendInMs > HORIZON_MS ? ASK_EARLY_MS : ASK_SHORTLY_BEFORE_MS);
  return { againInMs: Math.min(Math.max(wait, LEAST_WAIT_MS), MOST_WAIT_MS) };
}
