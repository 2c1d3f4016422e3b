import type { Queryable } from '@app/domain';
import type { Logger } from '@app/platform';
import {
  findUnplannedMailings,
  markPlanned,
  movePlanCursor,
  planChunk,
  startDueMailings,
  type UnplannedMailing,
} from './plan.queries.js';
import type { SlotsService } from './slots.service.js';

/** Small, so that sending starts at once. */
const FIRST_CHUNK = 2_000;
const CHUNK = 50_000;

/** Starts mailings and stores one message row for each client of their audience. */
export class PlanService {
  /** @param patient runs the large pieces, which let everything else go first. */
  constructor(
    private readonly db: Queryable,
    private readonly patient: Queryable,
    private readonly slots: SlotsService,
    private readonly logger: Logger,
  ) {}

  /** @returns the mailings that have just started. */
  async start(): Promise<number[]> {
    const started = await startDueMailings(this.db);
    for (const mailing of started) this.logger.info({ mailing }, 'mailing started');
    return started;
  }

  /** One chunk of each unplanned mailing. @returns rows stored, and whether there is more to plan. */
  async run(): Promise<{ planned: number; more: boolean }> {
    await this.start();
    const result = { planned: 0, more: false };
    const unplanned = await findUnplannedMailings(this.db);
    if (unplanned.length > 0) await this.slots.run();
    for (const mailing of unplanned) {
      const { planned, more } = await this.plan(mailing);
      result.planned += planned;
      result.more ||= more;
    }
    return result;
  }

  private async plan(mailing: UnplannedMailing): Promise<{ planned: number; more: boolean }> {
    if (mailing.planMaxClientId === null) {
      await markPlanned(this.db, mailing.id);
      return { planned: 0, more: false };
    }
    const isFirst = mailing.planCursor === 0;
    const limit = isFirst ? FIRST_CHUNK : CHUNK;
    const chunk = await planChunk(isFirst ? this.db : this.patient, mailing, limit);
    const planned = chunk.inserted;
    if (chunk.withoutSlot > 0) return { planned, more: true }; // a new timezone: once more with its slot
    const done = chunk.scanned < limit || chunk.lastClientId === mailing.planMaxClientId;
    const cursor = done ? mailing.planMaxClientId : chunk.lastClientId;
    if (cursor !== null) await movePlanCursor(this.db, mailing.id, cursor);
    if (done) {
      await markPlanned(this.db, mailing.id);
      this.logger.info({ mailing: mailing.id }, 'mailing planned');
    }
    return { planned, more: !done };
  }
}
