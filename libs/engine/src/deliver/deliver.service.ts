import type { Channel, ChannelPolicy, Outcome } from '@app/channels';
import { oneAtATime, type Queryable } from '@app/database';
import { type Clock, isLocalTrouble, type Logger, messageOf } from '@app/platform';
import type { DeliveryJob } from '@app/queue';
import { attemptResult, verdict } from './attempt-result.js';
import {
  BreakerWindow,
  closeBreakerIfProbing,
  pauseLane,
  reopenBreakerIfProbing,
  returnProbe,
  tripBreakerIfClosed,
} from '@app/lanes';
import { type ClaimedMessage, RATE_LIMITED_DELAY_MS } from '@app/messages';
import { type Claim, Claims, type Later } from './claims.js';
import { LocalTrouble } from './local-trouble.js';
import { LaneMetrics } from './metrics.js';
import { Records } from './records.js';
import { Texts } from './texts.js';

export interface DeliverOptions {
  db: Queryable;
  lane: { id: number; name: string };
  channel: Channel;
  /** The channel's. */
  policy: ChannelPolicy;
  clock: Clock;
  logger: Logger;
  /** This process cannot connect to anything for now: it should take no work for so long. */
  onLocalTrouble?: (pauseMs: number) => void;
}

/** When the database may take a mailing's outcomes again. */
const BLOCKED_DELAY_MS = 15_000;
/** Pauses that end this close to each other are one. */
const PAUSE_STEP_MS = 250;

/** Claim, send, record: the way of one message through one worker. */
export class DeliverService {
  private readonly claims: Claims;
  private readonly records: Records;
  private readonly texts: Texts;
  private readonly breaker: BreakerWindow;
  private readonly metrics: LaneMetrics;
  private readonly localTrouble: LocalTrouble;
  private pausedUntil = 0;

  constructor(private readonly options: DeliverOptions) {
    const { db, lane, policy, clock, logger } = options;
    // Side by side they would wait for each other's lock on the counters, in the server: one after
    // the other their batches are larger, which saves a tenth of the database's time and of ours.
    const inTurn = oneAtATime(db);
    this.claims = new Claims(inTurn, lane.id, policy, clock, logger);
    this.records = new Records({ db: inTurn, policy, clock, logger });
    this.texts = new Texts(db);
    this.breaker = new BreakerWindow(clock);
    this.metrics = new LaneMetrics(lane.name);
    this.localTrouble = new LocalTrouble(clock);
  }

  /**
   * Ends when the outcome is written down, or at once when the message is not ours to send.
   *
   * @returns when to bring the job again, where a rate holds its message back.
   * @throws when the database could not be reached before anything was claimed.
   */
  async deliver(job: DeliveryJob): Promise<Later | undefined> {
    let claim: Claim | Later | null;
    try {
      claim = await this.claim(job);
    } catch (error) {
      if (isLocalTrouble(error)) this.backOff(messageOf(error));
      throw error;
    }
    if (!claim) return undefined;
    if ('againInMs' in claim) return claim;
    const { lane, logger } = this.options;
    this.metrics.claimed();
    try {
      await this.untilSendTime(claim);
      const startedAt = this.options.clock.monotonic();
      const outcome = await this.send(claim);
      const durationMs = this.options.clock.monotonic() - startedAt;
      this.metrics.called(outcome.kind, outcome.kind === 'skipped' ? null : durationMs);
      // The breaker must know at once; the record may have to wait for the database.
      const judged = this.judge(job, claim, outcome);
      const result = attemptResult(claim.message, outcome, durationMs);
      await this.records.record(result, claim.message.mailingId);
      await judged;
      if (outcome.kind !== 'delivered') {
        logger.info(
          {
            lane: lane.name,
            message: claim.message.id,
            attempt: claim.message.attempt,
            outcome: outcome.kind,
            code: outcome.code,
            ms: Math.round(durationMs),
          },
          'attempt did not deliver',
        );
      }
      return undefined;
    } finally {
      this.metrics.recorded();
    }
  }

  /** To be called when no delivery is under way any more. */
  close(): Promise<void> {
    return this.records.close();
  }

  private claim(job: DeliveryJob): Promise<Claim | Later | null> {
    return job.probe === undefined
      ? this.claims.claim(job.messageId)
      : this.claimProbe(job.messageId, job.probe);
  }

  private async claimProbe(messageId: number, probe: number): Promise<Claim | null> {
    const claim = await this.claims.claimProbe(messageId, probe);
    if (claim && 'message' in claim) return claim;
    await returnProbe(this.options.db, this.options.lane.id, probe);
    return null;
  }

  private untilSendTime(claim: Claim): Promise<void> | undefined {
    if (claim.message.sendInMs === 0) return undefined;
    const wait = claim.sendAt - this.options.clock.monotonic();
    if (wait <= 0) return undefined;
    return new Promise((resolve) => setTimeout(resolve, Math.ceil(wait)));
  }

  /** Null: the mailing is gone, or the database is, and the message goes back. */
  private textOf({ mailingId, textVersion }: ClaimedMessage): Promise<string | null> | string {
    const text = this.texts.get(mailingId, textVersion);
    return typeof text === 'string' ? text : text.catch(() => null);
  }

  private async send(claim: Claim): Promise<Outcome> {
    try {
      const known = this.textOf(claim.message);
      const text = typeof known === 'string' ? known : await known;
      return await this.sendText(claim, text);
    } catch (error) {
      // A fault of ours, with the request perhaps written. As an outcome it moves the breaker, and
      // nobody has to wait for the lease.
      const { lane, logger } = this.options;
      logger.error({ lane: lane.name, message: claim.message.id, err: error }, 'the channel threw');
      return { kind: 'unknown', code: 'internal', detail: 'The channel failed' };
    }
  }

  private sendText(claim: Claim, text: string | null): Promise<Outcome> | Outcome {
    const { message } = claim;
    const { channel, policy, clock } = this.options;
    if (text === null || message.phone === '') {
      return { kind: 'skipped', code: 'gave_up', detail: 'The mailing or the client is gone' };
    }
    if (this.records.isBlocked(message.mailingId)) {
      const detail = 'The database refuses what becomes of this mailing’s messages';
      return { kind: 'skipped', code: 'gave_up', detail, retryAfterMs: BLOCKED_DELAY_MS };
    }
    // The lease runs on from the reserved moment when there is one.
    const leaseEnds = claim.claimedAt + message.sendInMs + policy.leaseMs;
    const lastStart = Math.min(claim.closesAt - policy.marginMs, leaseEnds - policy.callLimitMs);
    if (clock.monotonic() >= lastStart) {
      return { kind: 'skipped', code: 'gave_up', detail: 'Too little time was left to send' };
    }
    return channel.send({ id: message.id, phone: message.phone, text }, claim.closesAt);
  }

  /** What the breaker makes of an outcome; nothing of most. */
  private judge(job: DeliveryJob, claim: Claim, outcome: Outcome): Promise<void> | undefined {
    if (job.probe !== undefined || verdict(outcome) !== 'good') {
      return this.judgeTrouble(job, claim, outcome);
    }
    this.breaker.good();
    this.localTrouble.succeeded();
    return undefined;
  }

  private backOff(error: string): void {
    const pauseMs = this.localTrouble.failed();
    if (pauseMs === null) return;
    const { lane, logger, onLocalTrouble } = this.options;
    logger.warn(
      { lane: lane.name, pauseMs, error },
      'this process has no descriptor or port left to connect with and takes no work for a while',
    );
    onLocalTrouble?.(pauseMs);
  }

  private async judgeTrouble(job: DeliveryJob, claim: Claim, outcome: Outcome): Promise<void> {
    const { lane, logger } = this.options;
    if (outcome.kind === 'skipped' && outcome.isLocal) this.backOff(outcome.detail);
    try {
      if (outcome.kind === 'unavailable' && outcome.scope === 'rate') {
        await this.pause(outcome.retryAfterMs ?? RATE_LIMITED_DELAY_MS);
      }
      if (job.probe !== undefined) await this.judgeProbe(job.probe, outcome);
      else await this.judgeCall(claim.message.generation, outcome);
    } catch (error) {
      logger.warn({ lane: lane.name, error: messageOf(error) }, 'the breaker could not be updated');
    }
  }

  /** A flood of 429 is one pause, not a write for each. */
  private async pause(ms: number): Promise<void> {
    const until = this.options.clock.monotonic() + ms;
    if (until < this.pausedUntil + PAUSE_STEP_MS) return;
    this.pausedUntil = until;
    await pauseLane(this.options.db, this.options.lane.id, ms);
  }

  private async judgeCall(generation: number, outcome: Outcome): Promise<void> {
    const { db, lane, logger } = this.options;
    const opinion = verdict(outcome);
    if (opinion === 'neutral') return;
    const tooMany = this.breaker.bad();
    if (!tooMany && opinion !== 'fatal') return;
    this.breaker.reset();
    const reason = reasonOf(outcome);
    if (await tripBreakerIfClosed(db, { laneId: lane.id, generation, reason })) {
      logger.warn({ lane: lane.name, reason }, 'the breaker opened');
    }
  }

  private async judgeProbe(generation: number, outcome: Outcome): Promise<void> {
    const { db, lane, logger } = this.options;
    const opinion = verdict(outcome);
    const probe = { laneId: lane.id, generation };
    if (opinion === 'good') {
      this.breaker.reset();
      if (await closeBreakerIfProbing(db, probe)) {
        logger.info({ lane: lane.name }, 'the breaker closed');
      }
    } else if (opinion === 'neutral') {
      await returnProbe(db, lane.id, generation);
    } else {
      await reopenBreakerIfProbing(db, { ...probe, reason: reasonOf(outcome) });
    }
  }
}

function reasonOf(outcome: Outcome): string {
  return outcome.kind === 'delivered' ? '' : `${outcome.code}: ${outcome.detail}`;
}
