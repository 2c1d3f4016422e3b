import type { Queryable } from '@app/database';
import { policyOf } from '@app/lanes';
import { type Isolated, type Logger, systemClock } from '@app/platform';
import {
  type AttemptResult,
  BEGINNING,
  closePendingOfEnded,
  type ClosePosition,
  type ExpiredLease,
  findExpiredLeases,
  finishIfDrained,
  PieceSizes,
  purgeDeletedIfEmpty,
  purgeMessagesOfDeleted,
  recordInHalves,
  recordOutcomesIfStillSending,
} from '@app/messages';
import { byMailing } from '../each-mailing/by-mailing.js';
import { Rounds } from '../each-mailing/rounds.js';
import {
  endIfDue,
  findDeleted,
  findDrained,
  findDueEnds,
  findEndedWithPending,
  isAnyLastUnderWay,
  purgeIdempotencyKeys,
} from './finish.queries.js';

/** Large enough to be fast, small enough not to hold the counter long. */
const CLOSE_PIECES = { first: 2_500, least: 100, most: 10_000, aimMs: 200, limitMs: 1_000 };
/** Time for closing in one run, ms; then the next end is looked for. */
const CLOSE_ROUND_MS = 200;
const SWEEP_LIMIT = 1_000;
const PURGE_PIECES = { first: 2_000, least: 100, most: 5_000, aimMs: 200, limitMs: 1_000 };
const PURGE_ROUND_MS = 200;
const PURGE_KEYS = 5_000;

const same = (mailing: number) => mailing;

/** Ends mailings, takes back what workers lost, completes and purges. */
export class FinishService {
  private readonly ending: Isolated<number>;
  private readonly closing: Isolated<number>;
  private readonly finishing: Isolated<number>;
  private readonly sweeping: Isolated<[number, ExpiredLease[]]>;
  private readonly purging: Isolated<number>;
  private readonly closeSizes = new PieceSizes(CLOSE_PIECES);
  private readonly closeRounds = new Rounds(same, systemClock);
  private readonly purgeSizes = new PieceSizes(PURGE_PIECES);
  private readonly purgeRounds = new Rounds(same, systemClock);
  /** Positions of the mailings that are being closed. Losing them costs time only. */
  private readonly closedUpTo = new Map<number, ClosePosition>();

  constructor(
    private readonly db: Queryable,
    private readonly logger: Logger,
  ) {
    this.ending = byMailing('end', same, logger);
    this.closing = byMailing('close', same, logger);
    this.finishing = byMailing('finish', same, logger);
    this.sweeping = byMailing('sweep', ([mailing]) => mailing, logger);
    this.purging = byMailing('purge', same, logger);
  }

  /**
   * @returns `more`: rows of ended mailings may be left to close; `last`: a mailing waits for nothing
   *   but the last of its messages, which are on their way.
   */
  async end(): Promise<'more' | 'last' | 'idle'> {
    await this.ending.run(await findDueEnds(this.db), async (mailing) => {
      if (!(await endIfDue(this.db, mailing))) return;
      this.logger.info({ mailing }, 'mailing reached its end');
    });
    const more = await this.close();
    await this.finishing.run(await findDrained(this.db), async (mailing) => {
      const status = await finishIfDrained(this.db, mailing);
      if (status !== null) this.logger.info({ mailing, status }, 'mailing finished');
    });
    if (more) return 'more';
    return (await isAnyLastUnderWay(this.db)) ? 'last' : 'idle';
  }

  /** @returns whether there is more to close. */
  private async close(): Promise<boolean> {
    const open = new Set(await findEndedWithPending(this.db));
    this.closeSizes.keep(open);
    for (const mailing of this.closedUpTo.keys()) {
      if (!open.has(mailing)) this.closedUpTo.delete(mailing);
    }
    const turn = this.closeRounds.take([...open], CLOSE_ROUND_MS);
    await this.closing.run(turn, async (mailing) => {
      const after = this.closedUpTo.get(mailing) ?? BEGINNING;
      const piece = await this.closeSizes.run(mailing, (size) =>
        closePendingOfEnded(this.db, mailing, size, after),
      );
      if (piece?.next === null) {
        // A mailing that was read to its end is read again, for what was skipped, but not at once.
        this.closedUpTo.delete(mailing);
        open.delete(mailing);
      } else if (piece) this.closedUpTo.set(mailing, piece.next);
    });
    return [...open].some((mailing) => !this.closing.isWaiting(mailing));
  }

  /**
   * Messages whose lease ran out were sent or not: nobody knows. Their attempt is recorded as
   * `unknown`, by the statement and behind the fence that every worker uses; the channel decides what
   * that means.
   */
  async sweep(): Promise<number> {
    const except = this.sweeping.waitingKeys.map(Number);
    const expired = await findExpiredLeases(this.db, SWEEP_LIMIT, except);
    let swept = 0;
    const groups = Map.groupBy(expired, ({ mailingId }) => mailingId);
    await this.sweeping.run(groups, async ([, leases]) => {
      const [first] = leases; // one mailing has one channel
      if (!first) return;
      const policy = policyOf(first.channel);
      const { recorded, refused } = await recordInHalves(leases.map(lost), (part) =>
        recordOutcomesIfStillSending(this.db, part, policy),
      );
      swept += recorded.length;
      if (refused[0]) throw refused[0].error;
    });
    if (swept > 0) this.logger.warn({ messages: swept }, 'leases ran out');
    return swept;
  }

  /** @returns whether there is more to purge. */
  async purge(): Promise<boolean> {
    const keys = await purgeIdempotencyKeys(this.db, PURGE_KEYS);
    const deleted = new Set(await findDeleted(this.db));
    this.purgeSizes.keep(deleted);
    const turn = this.purgeRounds.take([...deleted], PURGE_ROUND_MS);
    await this.purging.run(turn, async (mailing) => {
      let limit = 0;
      const piece = await this.purgeSizes.run(mailing, (size) => {
        ({ limit } = size);
        return purgeMessagesOfDeleted(this.db, mailing, size);
      });
      if (!piece || piece.rows === limit) return;
      await purgeDeletedIfEmpty(this.db, mailing);
      deleted.delete(mailing);
    });
    return keys === PURGE_KEYS || [...deleted].some((mailing) => !this.purging.isWaiting(mailing));
  }
}

const lost = ({ id, attempt }: ExpiredLease): AttemptResult => ({
  id,
  attempt,
  outcome: 'unknown',
  countsAsTry: true,
  delayMs: null,
  durationMs: null,
  httpStatus: null,
  code: 'lease_expired',
  detail: 'The worker did not come back; the provider may have got the message',
  excerpt: null,
});
