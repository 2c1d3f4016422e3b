import type { Channel, ChannelPolicy, ContentSchema, Outcome } from '@app/channels';
import { oneAtATime, type Queryable } from '@app/database';
import { LaneBreaker } from '@app/lanes';
import type { ClaimedMessage } from '@app/messages';
import type { Clock, Logger } from '@app/platform';
import type { DeliveryJob } from '@app/queue';
import { attemptResult } from './attempt-result.js';
import { type Claim, Claims, type Later } from './claims.js';
import { Contents } from './contents.js';
import { LocalTrouble } from './local-trouble.js';
import { LaneMetrics } from './metrics.js';
import { Records } from './records.js';

export interface DeliverOptions {
  db: Queryable;
  lane: { id: number; name: string };
  channel: Channel;
  /** The channel's, like `content`. */
  policy: ChannelPolicy;
  content: ContentSchema;
  clock: Clock;
  logger: Logger;
  /** This process cannot connect to anything for now: it should take no work for so long. */
  onLocalTrouble?: (pauseMs: number) => void;
}

/** When the database may take a mailing's outcomes again. */
const BLOCKED_DELAY_MS = 15_000;

/** Claim, send, record: what a worker does with one message. */
export class DeliverService {
  private readonly claims: Claims;
  private readonly contents: Contents;
  private readonly records: Records;
  private readonly breaker: LaneBreaker;
  private readonly localTrouble: LocalTrouble;
  private readonly metrics: LaneMetrics;

  constructor(private readonly options: DeliverOptions) {
    const { db, lane, policy, content, clock, logger, onLocalTrouble } = options;
    // Side by side they would wait for each other's lock on the counters, in the server: one after
    // the other their batches are larger, which saves a tenth of the database's time and of ours.
    const inTurn = oneAtATime(db);
    this.claims = new Claims({ db: inTurn, laneId: lane.id, policy, clock, logger });
    this.contents = new Contents(db, content, logger);
    this.records = new Records({ db: inTurn, policy, clock, logger });
    this.breaker = new LaneBreaker({ db, lane, clock, logger });
    this.localTrouble = new LocalTrouble({
      lane,
      clock,
      logger,
      ...(onLocalTrouble && { onPause: onLocalTrouble }),
    });
    this.metrics = new LaneMetrics(lane.name);
  }

  /**
   * Ends when the outcome is recorded, or at once when the message is not ours to send.
   *
   * @returns when to bring the job again, where a rate holds its message back.
   * @throws when the database could not be reached before anything was claimed.
   */
  async deliver(job: DeliveryJob): Promise<Later | undefined> {
    const claim = await this.claim(job);
    if (claim === null) return undefined;
    if ('againInMs' in claim) return claim;
    const { message } = claim;
    const { clock } = this.options;
    this.metrics.claimed();
    try {
      if (message.sendInMs > 0) await this.untilSendTime(claim);
      const startedAt = clock.monotonic();
      const outcome = await this.send(claim);
      const durationMs = clock.monotonic() - startedAt;
      this.metrics.called(outcome.kind, outcome.kind === 'skipped' ? null : durationMs);
      // Both get the outcome at once; the record may have to wait for the database.
      this.localTrouble.observe(outcome);
      const observed = this.breaker.observe(outcome, {
        generation: message.generation,
        probe: job.probe,
      });
      await this.records.record(attemptResult(message, outcome, durationMs), message.mailingId);
      await observed;
      if (outcome.kind !== 'delivered') this.log(message, outcome, durationMs);
      return undefined;
    } finally {
      this.metrics.recorded();
    }
  }

  /** To be called when no delivery is under way any more. */
  close(): Promise<void> {
    return this.records.close();
  }

  private async claim({ messageId, probe }: DeliveryJob): Promise<Claim | Later | null> {
    try {
      if (probe === undefined) return await this.claims.claim(messageId);
      const claim = await this.claims.claimProbe(messageId, probe);
      if (claim === null) await this.breaker.returnProbe(probe);
      return claim;
    } catch (error) {
      this.localTrouble.observeError(error);
      throw error;
    }
  }

  private async untilSendTime({ sendAt }: Claim): Promise<void> {
    const wait = sendAt - this.options.clock.monotonic();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, Math.ceil(wait)));
  }

  /** Never fails: a fault of ours, with the request perhaps written, is an outcome too. */
  private async send({ message, lastStart, closesAt }: Claim): Promise<Outcome> {
    const { channel, clock, lane, logger } = this.options;
    const { id, address, mailingId, contentVersion: version } = message;
    try {
      const { contents } = this;
      const content =
        contents.known(mailingId, version) ?? (await contents.read(mailingId, version));
      if (content === null || address === '')
        return gaveUp('The mailing or the client was deleted');
      if (this.records.isBlocked(mailingId)) return BLOCKED;
      // From here on the channel keeps the deadline: it alone sees when bytes are written.
      if (clock.monotonic() >= lastStart) return gaveUp('Too little time was left to send');
      return await channel.send({ id, address, content }, closesAt);
    } catch (error) {
      logger.error({ lane: lane.name, message: id, err: error }, 'the channel threw');
      return { kind: 'unknown', code: 'internal', detail: 'The channel failed' };
    }
  }

  private log(message: ClaimedMessage, outcome: NotDelivered, durationMs: number): void {
    const { lane, logger } = this.options;
    logger.info(
      {
        lane: lane.name,
        message: message.id,
        attempt: message.attempt,
        outcome: outcome.kind,
        code: outcome.code,
        ms: Math.round(durationMs),
      },
      'attempt did not deliver',
    );
  }
}

type NotDelivered = Exclude<Outcome, { kind: 'delivered' }>;

function gaveUp(detail: string): Outcome {
  return { kind: 'skipped', code: 'gave_up', detail };
}

const BLOCKED: Outcome = {
  kind: 'skipped',
  code: 'gave_up',
  detail: 'The database refuses what becomes of this mailing’s messages',
  retryAfterMs: BLOCKED_DELAY_MS,
};
