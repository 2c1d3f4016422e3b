import type { Queryable } from '@app/domain';
import { type Logger, messageOf } from '@app/platform';
import { nextSlot, type Slot } from './slots.js';
import { findStaleSlots, type StaleSlot, storeSlotsIfStillScheduledSo } from './slots.queries.js';

const ROWS_AT_ONCE = 5_000;

/** Keeps `mailing_slots` true: the next slot of every mailing in every zone. */
export class SlotsService {
  constructor(
    private readonly db: Queryable,
    private readonly logger: Logger,
  ) {}

  /** @returns slots stored, and whether there may be more to do right now. */
  async run(): Promise<{ stored: number; more: boolean }> {
    const stale = await findStaleSlots(this.db, ROWS_AT_ONCE);
    const byMailing = Map.groupBy(stale, (row) => row.mailingId);
    for (const rows of byMailing.values()) {
      const [mailing] = rows;
      if (!mailing) continue;
      const slots = rows.map((row) => ({ zoneId: row.zoneId, slot: this.slotOf(row) }));
      await storeSlotsIfStillScheduledSo(this.db, mailing, slots);
    }
    return { stored: stale.length, more: stale.length === ROWS_AT_ONCE };
  }

  private slotOf(row: StaleSlot): Slot | null {
    const { startAt, endAt, windowFrom, windowTo, windowTimezone, zone, now } = row;
    const window =
      windowFrom !== null && windowTo !== null && windowTimezone !== null
        ? { from: windowFrom, to: windowTo, timezone: windowTimezone }
        : undefined;
    try {
      return nextSlot({ startAt, endAt, ...(window && { window }) }, zone, now);
    } catch (error) {
      // Nobody is disturbed at an hour that nobody can compute.
      this.logger.error({ mailing: row.mailingId, zone, error: messageOf(error) }, 'no slot');
      return null;
    }
  }
}
