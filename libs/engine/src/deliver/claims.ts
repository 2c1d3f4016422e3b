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
  /** With a rate: nothing is sent before this. */
  sendAt: number;
  /** No call begins at or after this: it could last longer than the lease, or has no time for an answer. */
  lastStart: number;
  /** Nothing is written at or after this. */
  closesAt: number;
}

/** A rate holds the message back: its job asks again after so long. */
export interface Later {
  againInMs: number;
}

/**
 * A job asks again so long before its turn, for the queue takes time too. In a lane with a rate
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

export interface ClaimsOptions {
  db: Queryable;
  laneId: number;
  policy: Pick<ChannelPolicy, 'leaseMs' | 'marginMs' | 'callLimitMs'>;
  clock: Clock;
  logger: Logger;
}

/** What a claim took, and when by our clock. */
interface Taken {
  rows: ClaimedMessage[];
  later: LaterMessage[];
  /** Before the statement was issued: the lease runs from here at the earliest. */
  claimedAt: number;
  /** Before the time left was looked at. */
  measuredAt: number;
}

/** Claims messages of one lane in natural batches, one statement at a time. */
export class Claims {
  private readonly batcher: Batcher<number, Claim | Later | null>;

  constructor(private readonly options: ClaimsOptions) {
    this.batcher = new Batcher(async (ids) => this.answers(ids, await this.take(ids)), BATCH_SIZE);
  }

  /**
   * @returns when to ask again for what a rate holds back; null when the message is not ours to send:
   * sent, paused, too late, held by another.
   * @throws when the database cannot be reached; then the job is to be tried again.
   */
  claim(messageId: number): Promise<Claim | Later | null> {
    return this.batcher.add(messageId);
  }

  /**
   * Claims one message for the breaker's probe, which carries the token's generation.
   *
   * @returns null when it cannot be sent now.
   * @throws when the database cannot be reached.
   */
  async claimProbe(messageId: number, probe: number): Promise<Claim | null> {
    const [answer] = this.answers([messageId], await this.take([messageId], probe));
    return answer && 'message' in answer ? answer : null;
  }

  private async take(ids: number[], probe?: number): Promise<Taken> {
    const { db, laneId, policy, clock, logger } = this.options;
    const claimId = randomInt(CLAIM_IDS);
    const claimedAt = clock.monotonic();
    try {
      const { claimed: rows, later } = await claimDuePending(db, {
        laneId,
        claimId,
        ids,
        policy,
        ...(probe !== undefined && { probe }),
      });
      return { rows, later, claimedAt, measuredAt: claimedAt };
    } catch (error) {
      if (isLocalTrouble(error)) throw error; // there is no connection: nothing was asked for
      logger.warn({ error: messageOf(error), messages: ids.length }, 'the claim failed');
      const found = await this.reread(claimId, ids, claimedAt, error);
      return { ...found, later: [], claimedAt };
    }
  }

  /** One for each id, in their order. Of two jobs for one message only the first has it. */
  private answers(ids: number[], { rows, later, claimedAt, measuredAt }: Taken) {
    const { leaseMs, marginMs, callLimitMs } = this.options.policy;
    claimSize.observe(rows.length);
    const answeredAt = this.options.clock.monotonic();
    const byId = new Map<number, Claim | Later>();
    for (const message of rows) {
      // What was left was left when the statement ran, which was after it was issued.
      const closesAt = measuredAt + message.msLeft;
      // The lease runs on from the reserved moment when there is one.
      const leaseEnds = claimedAt + message.sendInMs + leaseMs;
      byId.set(message.id, {
        message,
        sendAt: answeredAt + message.sendInMs,
        lastStart: Math.min(closesAt - marginMs, leaseEnds - callLimitMs),
        closesAt,
      });
    }
    for (const message of later) byId.set(message.id, askAgain(message));
    return ids.map((id) => {
      const answer = byId.get(id);
      byId.delete(id);
      return answer ?? null;
    });
  }

  /**
   * The answer got lost: the database knows whether the claim took effect, the lease does not.
   * A claim that is of no use any more is looked up too, for the sweep would have to take its
   * messages for sent. The gate waits for a claim that is still running in the server.
   */
  private async reread(
    claimId: number,
    ids: number[],
    claimedAt: number,
    cause: unknown,
  ): Promise<{ rows: ClaimedMessage[]; measuredAt: number }> {
    const { db, policy, clock } = this.options;
    for (let look = 0; clock.monotonic() - claimedAt < policy.leaseMs; look++) {
      const pause = REREAD_PAUSES_MS[Math.min(look, REREAD_PAUSES_MS.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, pause));
      try {
        await passGate(db);
        const measuredAt = clock.monotonic();
        const rows = await rereadClaim(db, { claimId, ids });
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
