import type { Queryable } from '@app/domain';
import type { Logger } from '@app/platform';
import { type AttemptResult, recordOutcomesIfStillSending } from '../deliver/record.queries.js';
import {
  BEGINNING,
  closePendingOfEnded,
  type ClosePosition,
  endDueMailings,
  findEndedWithPending,
  findExpiredLeases,
  finishDrained,
  isAnyLastUnderWay,
  purgeDeletedMailings,
  purgeDeletedMessages,
  purgeIdempotencyKeys,
} from './finish.queries.js';

/** Rows per closing statement: large enough to be fast, small enough not to hold the counter long. */
const CLOSE_CHUNK = 10_000;
const SWEEP_CHUNK = 1_000;
const PURGE_CHUNK = 5_000;

/** Ends mailings, takes back what workers lost, completes and purges. */
export class FinishService {
  /** Of the mailings that are being closed. Losing it costs time only. */
  private closedUpTo = new Map<number, ClosePosition>();

  constructor(
    private readonly db: Queryable,
    private readonly logger: Logger,
  ) {}

  /**
   * @returns `more`: rows of ended mailings may be left to close; `last`: a mailing waits for nothing
   *   but the last of its messages, which are on their way.
   */
  async end(): Promise<'more' | 'last' | 'idle'> {
    for (const mailing of await endDueMailings(this.db)) {
      this.logger.info({ mailing }, 'mailing reached its end');
    }
    const closedUpTo = new Map<number, ClosePosition>();
    for (const mailing of await findEndedWithPending(this.db)) {
      const after = this.closedUpTo.get(mailing) ?? BEGINNING;
      const { next } = await closePendingOfEnded(this.db, mailing, CLOSE_CHUNK, after);
      if (next) closedUpTo.set(mailing, next);
    }
    // A mailing that is gone through begins anew, for what was passed over.
    this.closedUpTo = closedUpTo;
    for (const { id, status } of await finishDrained(this.db)) {
      this.logger.info({ mailing: id, status }, 'mailing finished');
    }
    if (closedUpTo.size > 0) return 'more';
    return (await isAnyLastUnderWay(this.db)) ? 'last' : 'idle';
  }

  /**
   * Messages whose lease ran out were sent or not: nobody knows. Their attempt is recorded as
   * `unknown`, by the statement and behind the fence that every worker uses.
   */
  async sweep(): Promise<number> {
    const expired = await findExpiredLeases(this.db, 'notification', SWEEP_CHUNK);
    if (expired.length === 0) return 0;
    const results = expired.map(({ id, attempt, phone }): AttemptResult => ({
      id,
      attempt,
      phone,
      outcome: 'unknown',
      countsAsTry: true,
      delayMs: null,
      durationMs: null,
      httpStatus: null,
      code: 'lease_expired',
      detail: 'The worker did not come back; the provider may have got the message',
      excerpt: null,
    }));
    const swept = await recordOutcomesIfStillSending(this.db, results, true);
    if (swept.length > 0) this.logger.warn({ messages: swept.length }, 'leases ran out');
    return swept.length;
  }

  /** @returns whether there is more to purge. */
  async purge(): Promise<boolean> {
    const purged = await purgeDeletedMessages(this.db, PURGE_CHUNK);
    if (purged === PURGE_CHUNK) return true;
    await purgeDeletedMailings(this.db);
    await purgeIdempotencyKeys(this.db);
    return false;
  }
}
