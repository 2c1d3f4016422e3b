import type { Queryable } from '@app/database';
import type { Slot } from '@app/platform';

/** A zone of a mailing whose next slot is not known: new, edited away, or just closed. */
export interface StaleSlot {
  mailingId: number;
  scheduleVersion: number;
  startAt: Date;
  endAt: Date;
  windowFrom: string | null;
  windowTo: string | null;
  windowTimezone: string | null;
  zoneId: number;
  zone: string;
  /** The database's clock. */
  now: Date;
}

export interface LeftOut {
  mailings: number[];
  /** As `slotKey` writes them. */
  slots: string[];
}

/** A zone of a mailing. */
export const slotKey = (slot: { mailingId: number; zoneId: number | '' }): string =>
  `${slot.mailingId}/${slot.zoneId}`;

/** @param except what has just failed: it must not keep others out of the limit. */
export async function findStaleSlots(
  db: Queryable,
  limit: number,
  except: LeftOut = { mailings: [], slots: [] },
): Promise<StaleSlot[]> {
  const { rows } = await db.query<StaleSlot>({
    name: 'find-stale-slots',
    text: `
      SELECT g.id AS "mailingId", g.schedule_version AS "scheduleVersion", g.start_at AS "startAt",
        g.end_at AS "endAt", g.window_from AS "windowFrom", g.window_to AS "windowTo",
        g.window_timezone AS "windowTimezone", z.id AS "zoneId", z.name AS zone, clock_timestamp() AS now
      FROM mailings g CROSS JOIN zones z
      LEFT JOIN mailing_slots s ON s.mailing_id = g.id AND s.zone_id = z.id
      WHERE g.finished_at IS NULL AND g.deleted_at IS NULL AND g.status IN ('running', 'paused')
        AND (s.zone_id IS NULL
          OR (s.closes_at <= clock_timestamp() AND s.closes_at > '-infinity' AND s.closes_at < g.end_at))
        AND g.id <> ALL ($2::bigint[]) AND g.id || '/' || z.id <> ALL ($3::text[])
      ORDER BY g.id LIMIT $1`,
    values: [limit, except.mailings, except.slots],
  });
  return rows;
}

/** Stores slots, unless the mailing's times have changed since they were computed, or it has finished. */
export async function storeSlotsIfStillScheduledSo(
  db: Queryable,
  mailing: { mailingId: number; scheduleVersion: number },
  slots: { zoneId: number; slot: Slot | null }[],
): Promise<void> {
  await db.query({
    name: 'store-slots-if-still-scheduled-so',
    text: `
      INSERT INTO mailing_slots (mailing_id, zone_id, opens_at, closes_at)
      SELECT g.id, t.zone_id, t.opens_at, t.closes_at
      FROM mailings g, unnest($3::int[], $4::timestamptz[], $5::timestamptz[]) AS t (zone_id, opens_at, closes_at)
      WHERE g.id = $1 AND g.schedule_version = $2 AND g.finished_at IS NULL AND g.deleted_at IS NULL
      FOR SHARE OF g
      ON CONFLICT (mailing_id, zone_id) DO UPDATE SET
        opens_at = excluded.opens_at, closes_at = excluded.closes_at`,
    values: [
      mailing.mailingId,
      mailing.scheduleVersion,
      slots.map(({ zoneId }) => zoneId),
      slots.map(({ slot }) => (slot ? timestampText(slot.opensAt) : '-infinity')),
      slots.map(({ slot }) => (slot ? timestampText(slot.closesAt) : '-infinity')),
    ],
  });
}

/**
 * As PostgreSQL reads it. ISO 8601 has a sign and six digits for years before 0 and after 9999, which
 * PostgreSQL does not know; its year before 1 is 1 BC.
 */
export function timestampText(date: Date): string {
  const [, sign, year = '', rest = ''] = /^([+-]?)(\d+)(-.*)$/.exec(date.toISOString()) ?? [];
  const number = Number(year);
  if (sign === '-' || number === 0) return `${String(number + 1).padStart(4, '0')}${rest} BC`;
  return `${String(number).padStart(4, '0')}${rest}`;
}
