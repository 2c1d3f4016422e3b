import { isDatabaseAway, type Queryable } from '@app/database';
import {
  Isolated,
  type Logger,
  nextSlot,
  type Slot,
  systemClock,
  UnknownTimezoneError,
} from '@app/platform';
import { byMailing } from '../each-mailing/by-mailing.js';
import {
  findStaleSlots,
  slotKey,
  type StaleSlot,
  storeSlotsIfStillScheduledSo,
} from './slots.queries.js';

const ROWS_AT_ONCE = 5_000;

/** Keeps `mailing_slots` true: the next slot of every unfinished mailing in every zone. */
export class SlotsService {
  private readonly mailings: Isolated<StaleSlot[]>;
  /** Zones that the runtime does not know: those of their clients wait, the others go on. */
  private readonly zones: Isolated<StaleSlot>;

  constructor(
    private readonly db: Queryable,
    logger: Logger,
  ) {
    this.mailings = byMailing('slots', ([row]) => row?.mailingId ?? 0, logger);
    this.zones = new Isolated<StaleSlot>({
      task: 'slots',
      key: slotKey,
      fields: ({ mailingId, zoneId }) => ({ mailing: mailingId, zone: zoneId }),
      isShared: (error) => isDatabaseAway(error) || !(error instanceof UnknownTimezoneError),
      clock: systemClock,
      logger,
    });
  }

  /** @returns slots stored, and whether there may be more to do right now. */
  async run(): Promise<{ stored: number; more: boolean }> {
    const stale = await findStaleSlots(this.db, ROWS_AT_ONCE, {
      mailings: this.mailings.waitingKeys.map(Number),
      slots: this.zones.waitingKeys.map(String),
    });
    let stored = 0;
    const groups = Map.groupBy(stale, (row) => row.mailingId).values();
    await this.mailings.run(groups, async (rows) => {
      stored += await this.store(rows);
    });
    return { stored, more: stale.length === ROWS_AT_ONCE };
  }

  /** Zones of a mailing whose slots cannot be computed. */
  zonesWithoutHours(mailingId: number): number[] {
    const prefix = slotKey({ mailingId, zoneId: '' });
    return this.zones.failingKeys
      .map(String)
      .filter((key) => key.startsWith(prefix))
      .map((key) => Number(key.slice(prefix.length)));
  }

  private async store(rows: StaleSlot[]): Promise<number> {
    const [mailing] = rows;
    if (!mailing) return 0;
    const slots: { zoneId: number; slot: Slot | null }[] = [];
    await this.zones.run(rows, (row) => {
      slots.push({ zoneId: row.zoneId, slot: slotOf(row) });
      return Promise.resolve();
    });
    if (slots.length > 0) await storeSlotsIfStillScheduledSo(this.db, mailing, slots);
    return slots.length;
  }
}

function slotOf(row: StaleSlot): Slot | null {
  const { startAt, endAt, windowFrom, windowTo, windowTimezone, zone, now } = row;
  const window =
    windowFrom !== null && windowTo !== null && windowTimezone !== null
      ? { from: windowFrom, to: windowTo, timezone: windowTimezone }
      : undefined;
  return nextSlot({ startAt, endAt, ...(window && { window }) }, zone, now);
}
