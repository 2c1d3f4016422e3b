import { randomInt } from 'node:crypto';
import type { Queryable } from '@app/domain';
import { Batcher, type Clock, isLocalTrouble, type Logger, messageOf } from '@app/platform';
import { passGate } from '../control/gate.js';
import { type ClaimedMessage, claimDuePending, rereadClaim } from './claim.queries.js';
import { BATCH_SIZE, LEASE_MS } from './limits.js';
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

const REREAD_PAUSES_MS = [50, 200, 500, 1_000, 2_000];
/** Random and below 2^47, so that it is exact as a number and as a bigint. */
const CLAIM_IDS = 2 ** 47;

/** Claims messages of one lane in natural batches, one statement at a time. */
export class Claims {
  private readonly batcher: Batcher<number, Claim | null>;

  constructor(
    private readonly db: Queryable,
    private readonly laneId: number,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.batcher = new Batcher((ids) => this.claimBatch(ids), BATCH_SIZE);
  }

  /**
   * @returns null when the message is not ours to send now: sent, paused, too late, held by another.
   * @throws when the database cannot be reached; then the job is to be tried again.
   */
  claim(messageId: number): Promise<Claim | null> {
    return this.batcher.add(messageId);
  }

  /** Claims one message for the breaker's probe, which carries the token's generation. */
  async claimProbe(messageId: number, probe: number): Promise<Claim | null> {
    const [claim] = await this.claimBatch([messageId], probe);
    return claim ?? null;
  }

  private async claimBatch(ids: number[], probe?: number): Promise<(Claim | null)[]> {
    const claimId = randomInt(CLAIM_IDS);
    const claimedAt = this.clock.monotonic();
    let measuredAt = claimedAt;
    let rows: ClaimedMessage[];
    try {
      rows = await claimDuePending(this.db, {
        laneId: this.laneId,
        claimId,
        ids,
        ...(probe !== undefined && { probe }),
      });
    } catch (error) {
      if (isLocalTrouble(error)) throw error; // there is no connection: nothing was asked for
      this.logger.warn({ error: messageOf(error), messages: ids.length }, 'the claim went wrong');
      ({ rows, measuredAt } = await this.reread(claimId, ids, claimedAt, error));
    }
    claimSize.observe(rows.length);
    const answeredAt = this.clock.monotonic();
    const byId = new Map(rows.map((message) => [message.id, message]));
    return ids.map((id) => {
      const message = byId.get(id);
      byId.delete(id); // two jobs for one message: only the first has it
      return message
        ? {
            message,
            claimedAt,
            // What was left was left when the statement ran, which was after it was issued.
            closesAt: measuredAt + message.msLeft,
            sendAt: answeredAt + message.sendInMs,
          }
        : null;
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
    for (let look = 0; this.clock.monotonic() - claimedAt < LEASE_MS; look++) {
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
