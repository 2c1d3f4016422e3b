import type { Queryable } from '@app/database';
import { type Isolated, type Logger, systemClock } from '@app/platform';
import { markPlanned, PieceSizes, planChunk, type UnplannedMailing } from '@app/messages';
import { byMailing } from '../each-mailing/by-mailing.js';
import { Rounds } from '../each-mailing/rounds.js';
import {
  findDueStarts,
  findUnplannedMailings,
  movePlanCursor,
  startIfDue,
} from './plan.queries.js';
import type { SlotsService } from './slots.service.js';

/**
 * The first piece is small, so that sending starts at once. While a piece runs, the session does
 * nothing else: neither does a new mailing begin nor is an end seen.
 */
const PIECES = { first: 2_000, least: 100, most: 50_000, aimMs: 600, limitMs: 2_000 };
/** Time for large mailings in one run, ms: a new one waits no longer. */
const ROUND_MS = 600;
/** How often in a row slots may be missing for a piece before its mailing is set aside. */
const SLOT_LOOKS = 3;

/** Starts mailings and stores one message row for each client of their audience. */
export class PlanService {
  private readonly starting: Isolated<number>;
  private readonly planning: Isolated<UnplannedMailing>;
  private readonly sizes = new PieceSizes(PIECES);
  private readonly rounds = new Rounds<UnplannedMailing>(({ id }) => id, systemClock);
  /** Pieces in a row for which slots were missing. */
  private readonly withoutSlots = new Map<number, number>();

  /** @param lowPriority runs the large pieces, after everything else. */
  constructor(
    private readonly db: Queryable,
    private readonly lowPriority: Queryable,
    private readonly slots: SlotsService,
    private readonly logger: Logger,
  ) {
    this.starting = byMailing('start', (id) => id, logger);
    this.planning = byMailing('plan', ({ id }) => id, logger);
  }

  /** @returns the mailings that have just started. */
  async start(): Promise<number[]> {
    const started: number[] = [];
    await this.starting.run(await findDueStarts(this.db), async (mailing) => {
      if (!(await startIfDue(this.db, mailing))) return;
      started.push(mailing);
      this.logger.info({ mailing }, 'mailing started');
    });
    return started;
  }

  /**
   * The first piece of each new mailing, and of the others what time allows, in turn.
   *
   * @returns rows stored, whether there is more to plan at once, and whether mailings wait for slots.
   */
  async run(): Promise<{ planned: number; more: boolean; slotsMissing: boolean }> {
    const unplanned = await findUnplannedMailings(this.db);
    this.forgetAllBut(unplanned);
    const done = new Set<UnplannedMailing>();
    let planned = 0;
    await this.planning.run(this.inTurn(unplanned), async (mailing) => {
      const result = await this.plan(mailing);
      planned += result.planned;
      if (result.done) done.add(mailing);
    });
    const left = unplanned.filter((one) => !done.has(one) && !this.planning.isWaiting(one));
    const withoutSlots = left.filter(({ id }) => (this.withoutSlots.get(id) ?? 0) > 0);
    return {
      planned,
      more: left.length > withoutSlots.length,
      slotsMissing: withoutSlots.length > 0,
    };
  }

  private *inTurn(unplanned: UnplannedMailing[]): Generator<UnplannedMailing> {
    const isNew = ({ planCursor }: UnplannedMailing) => planCursor === 0;
    yield* unplanned.filter(isNew);
    yield* this.rounds.take(
      unplanned.filter((one) => !isNew(one)),
      ROUND_MS,
    );
  }

  private async plan(mailing: UnplannedMailing): Promise<{ planned: number; done: boolean }> {
    const { id, planCursor, planMaxClientId } = mailing;
    if (planMaxClientId === null) {
      await markPlanned(this.db, id);
      return { planned: 0, done: true };
    }
    const db = planCursor === 0 ? this.db : this.lowPriority;
    const withoutHours = this.slots.zonesWithoutHours(id);
    let limit = 0;
    const chunk = await this.sizes.run(id, (piece) => {
      ({ limit } = piece);
      return planChunk(db, mailing, piece, withoutHours);
    });
    if (!chunk) {
      this.logger.warn({ mailing: id, clients: limit }, 'planning is slow: smaller pieces');
      return { planned: 0, done: false };
    }
    const planned = chunk.inserted;
    if (this.hasMissingSlots(id, chunk.withoutSlot)) return { planned, done: false };
    const done = chunk.rows < limit || chunk.lastClientId === planMaxClientId;
    const cursor = done ? planMaxClientId : chunk.lastClientId;
    if (cursor !== null) await movePlanCursor(this.db, id, cursor);
    if (done) {
      await markPlanned(this.db, id);
      this.logger.info({ mailing: id }, 'mailing planned');
    }
    return { planned, done };
  }

  /**
   * A new timezone: its slot has to be computed, and then the same piece is run again.
   *
   * @throws Error when that has not helped.
   */
  private hasMissingSlots(mailing: number, clients: number): boolean {
    const looks = clients === 0 ? 0 : (this.withoutSlots.get(mailing) ?? 0) + 1;
    this.withoutSlots.set(mailing, looks);
    if (looks > SLOT_LOOKS) throw new Error(`There are no slots for ${clients} clients`);
    return looks > 0;
  }

  private forgetAllBut(mailings: UnplannedMailing[]): void {
    const ids = new Set(mailings.map(({ id }) => id));
    this.sizes.keep(ids);
    for (const id of this.withoutSlots.keys()) if (!ids.has(id)) this.withoutSlots.delete(id);
  }
}
