import type { Queryable } from '@app/database';
import { Batcher, type Clock, type Logger, messageOf } from '@app/platform';
import {
  type AttemptResult,
  BATCH_SIZE,
  type Recorded,
  recordInHalves,
  recordOutcomesIfStillSending,
  type RetryPolicy,
} from '@app/messages';
import { recorded as recordedCounter, setAsideOutcomes, unrecordedSince } from './metrics.js';
import { SetAside, type Unrecorded } from './set-aside.js';

const PAUSES_MS = [50, 100, 200, 500, 1_000, 2_000];
/** Sooner than the sweep's repetition of an attempt, which a late confirmation has to prevent. */
const TRY_AGAIN_MS = 2_000;

export interface RecordsOptions {
  db: Queryable;
  policy: RetryPolicy;
  clock: Clock;
  logger: Logger;
}

/**
 * Records outcomes in natural batches, one statement at a time. An outcome stays here until the
 * statement commits, whatever happens to the database meanwhile. One that the database refuses because
 * of its data (SQLSTATE 22, 23) is set aside and tried again by itself, so that it holds up no other.
 */
export class Records {
  private readonly batcher: Batcher<Unrecorded, Recorded | null>;
  private readonly setAside = new SetAside();
  private inStatement: readonly Unrecorded[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: RecordsOptions) {
    this.batcher = new Batcher((outcomes) => this.recordBatch(outcomes), BATCH_SIZE);
    unrecordedSince.add(this.oldest);
  }

  /**
   * @returns null when the fence refused the result, because a later attempt has begun; or when the
   *   result was set aside.
   */
  record(result: AttemptResult, mailingId: number): Promise<Recorded | null> {
    return this.batcher.add({ result, mailingId, since: this.options.clock.monotonic() });
  }

  /** Whether the database refuses the outcomes of this mailing. */
  isBlocked(mailingId: number): boolean {
    return this.setAside.size > 0 && this.setAside.isBlocked(mailingId);
  }

  /** Gives what was set aside a last try; what is refused again is lost with this process. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.tryAgain().catch(() => undefined);
    clearTimeout(this.timer);
    unrecordedSince.delete(this.oldest);
    if (this.setAside.size > 0) {
      this.options.logger.error(
        { messages: this.setAside.ids().slice(0, 100), count: this.setAside.size },
        'outcomes that the database refused are lost with this process',
      );
    }
  }

  /** Since when the oldest outcome waits to be recorded, on the monotonic clock. */
  private readonly oldest = (): number =>
    Math.min(this.inStatement[0]?.since ?? Infinity, this.setAside.oldest());

  private async recordBatch(outcomes: Unrecorded[]): Promise<(Recorded | null)[]> {
    this.inStatement = outcomes;
    const moved = new Map<Unrecorded, Recorded>();
    for (const batch of withDistinctIds(this.withoutBlocked(outcomes))) {
      const results = Array.from(batch.values(), ({ result }) => result);
      // eslint-disable-next-line no-restricted-syntax -- never fails: what is refused is told apart
      const { recorded, refused } = await this.untilCommitted(results);
      for (const row of recorded) {
        const outcome = batch.get(row.id);
        if (outcome) moved.set(outcome, row);
      }
      for (const { result, error } of refused) {
        const outcome = batch.get(result.id);
        if (outcome) this.keepRefused(outcome, error);
      }
    }
    this.inStatement = [];
    const answers = outcomes.map((outcome) => moved.get(outcome) ?? null);
    const byStatus = Map.groupBy(answers, (row) => row?.status ?? 'fenced');
    for (const [status, rows] of byStatus) recordedCounter.inc({ status }, rows.length);
    return answers;
  }

  /**
   * Of a mailing whose outcomes are all refused, no more statements are made than `tryAgain` does. What
   * was not sent is given back, for the database may accept that.
   */
  private withoutBlocked(outcomes: Unrecorded[]): Unrecorded[] {
    if (this.setAside.size === 0) return outcomes;
    return outcomes.filter((outcome) => {
      const isBlocked =
        outcome.result.outcome !== 'unavailable' && this.setAside.isBlocked(outcome.mailingId);
      if (isBlocked) this.keep(outcome);
      return !isBlocked;
    });
  }

  private async untilCommitted(results: AttemptResult[]) {
    const { db, policy, logger } = this.options;
    for (let attempt = 0; ; attempt++) {
      try {
        return await recordInHalves(results, (part) =>
          recordOutcomesIfStillSending(db, part, policy),
        );
      } catch (error) {
        logger.warn(
          { error: messageOf(error), messages: results.length },
          'outcomes could not be recorded and are kept',
        );
        const pause = PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)];
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  private keepRefused(outcome: Unrecorded, error: Error): void {
    this.keep(outcome);
    setAsideOutcomes.inc();
    if (this.setAside.isBlocked(outcome.mailingId)) return; // logged often enough
    this.options.logger.error(
      { message: outcome.result.id, mailing: outcome.mailingId, error: messageOf(error) },
      'the database refuses an outcome: it is set aside and tried again',
    );
  }

  private keep(outcome: Unrecorded): void {
    const lost = this.setAside.add(outcome);
    if (lost) {
      this.options.logger.error(
        { message: lost.result.id, outcome: lost.result.outcome },
        'too many outcomes are refused: the oldest is lost',
      );
    }
    this.schedule();
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.tryAgain().catch(() => undefined);
    }, TRY_AGAIN_MS).unref();
  }

  /** One outcome of each mailing; where it is taken, all the others of its mailing are too. */
  private async tryAgain(): Promise<void> {
    const { db, policy, logger } = this.options;
    const record = (part: AttemptResult[]) => recordOutcomesIfStillSending(db, part, policy);
    /* eslint-disable no-restricted-syntax -- what is refused stays set aside with its own mailing */
    for (const candidate of this.setAside.candidates()) {
      const { mailingId, result } = candidate;
      try {
        const { refused } = await recordInHalves([result], record);
        if (refused.length > 0) continue;
      } catch {
        break; // the database is away
      }
      const others = this.setAside.take(mailingId).filter((outcome) => outcome !== candidate);
      logger.info({ mailing: mailingId, messages: others.length + 1 }, 'outcomes are taken again');
      await Promise.all(
        others.map((outcome) => this.batcher.add(outcome)), // what is refused again comes back here
      );
    }
    /* eslint-enable no-restricted-syntax */
    if (this.setAside.size > 0) this.schedule();
  }
}

/** By message. One statement can move a row only once: a second result for it goes into a later one. */
function withDistinctIds(outcomes: Unrecorded[]): Map<number, Unrecorded>[] {
  const batches: Map<number, Unrecorded>[] = [];
  for (const outcome of outcomes) {
    const { id } = outcome.result;
    let batch = batches.find((candidate) => !candidate.has(id));
    if (!batch) {
      batch = new Map<number, Unrecorded>();
      batches.push(batch);
    }
    batch.set(id, outcome);
  }
  return batches;
}
