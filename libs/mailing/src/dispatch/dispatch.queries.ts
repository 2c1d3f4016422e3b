import type { BreakerState, Queryable } from '@app/domain';

export interface LaneState {
  id: number;
  name: string;
  state: BreakerState;
  /** The provider asked for a pause that is not over. */
  paused: boolean;
  probeDue: boolean;
  ratePerSecond: number | null;
}

export async function readLanes(db: Queryable): Promise<LaneState[]> {
  const { rows } = await db.query<LaneState>({
    name: 'read-lanes',
    text: `
      SELECT id, name, state, COALESCE(paused_until > clock_timestamp(), false) AS paused,
        COALESCE(probe_at <= clock_timestamp(), false) AS "probeDue", rate_per_second AS "ratePerSecond"
      FROM lanes ORDER BY id`,
  });
  return rows;
}

/** A zone of a running mailing that may be sent to right now. */
export interface OpenSlot {
  mailingId: number;
  laneId: number;
  zoneId: number;
  ratePerSecond: number | null;
}

export async function findOpenSlots(db: Queryable): Promise<OpenSlot[]> {
  const { rows } = await db.query<OpenSlot>({
    name: 'find-open-slots',
    text: `
      SELECT g.id AS "mailingId", g.lane_id AS "laneId", s.zone_id AS "zoneId",
        g.rate_per_second AS "ratePerSecond"
      FROM mailings g
      JOIN mailing_counters k ON k.mailing_id = g.id AND k.pending > 0
      JOIN mailing_slots s ON s.mailing_id = g.id
      WHERE g.finished_at IS NULL AND g.deleted_at IS NULL AND g.status = 'running'
        AND g.end_at > clock_timestamp()
        AND s.opens_at <= clock_timestamp() AND s.closes_at > clock_timestamp()
      ORDER BY g.id, s.zone_id`,
  });
  return rows;
}

/** Where a scan of one mailing and zone goes on, along the index (not_before, id). */
export interface ScanPosition {
  mailingId: number;
  zoneId: number;
  /** Text of a timestamp, `-infinity` for messages that were never tried. */
  notBefore: string;
  id: number;
  limit: number;
}

export interface DueMessage {
  mailingId: number;
  zoneId: number;
  id: number;
  attempts: number;
  notBefore: string;
}

/** Messages that were never tried, behind the given positions, each scan in order of id. */
export function findFresh(db: Queryable, positions: ScanPosition[]): Promise<DueMessage[]> {
  return scan(db, 'find-fresh', `m.not_before = '-infinity' AND m.id > p.id`, 'm.id', positions);
}

/** Messages whose next try is due, behind the given positions, each scan in order of time. */
export function findDueRetries(db: Queryable, positions: ScanPosition[]): Promise<DueMessage[]> {
  return scan(
    db,
    'find-due-retries',
    `m.not_before > '-infinity' AND m.not_before <= clock_timestamp()
      AND (m.not_before, m.id) > (p.not_before, p.id)`,
    'm.not_before, m.id',
    positions,
  );
}

async function scan(
  db: Queryable,
  name: string,
  condition: string,
  order: string,
  positions: ScanPosition[],
): Promise<DueMessage[]> {
  const { rows } = await db.query<DueMessage>({
    name,
    text: `
      SELECT p.mailing_id AS "mailingId", p.zone_id AS "zoneId", m.id, m.attempts,
        m.not_before::text AS "notBefore"
      FROM unnest($1::bigint[], $2::int[], $3::timestamptz[], $4::bigint[], $5::int[])
        AS p (mailing_id, zone_id, not_before, id, wanted)
      CROSS JOIN LATERAL (
        SELECT m.id, m.attempts, m.not_before FROM messages m
        WHERE m.mailing_id = p.mailing_id AND m.status = 'pending' AND m.zone_id = p.zone_id AND ${condition}
        ORDER BY ${order} LIMIT p.wanted
      ) m`,
    values: [
      positions.map((position) => position.mailingId),
      positions.map((position) => position.zoneId),
      positions.map((position) => position.notBefore),
      positions.map((position) => position.id),
      positions.map((position) => position.limit),
    ],
  });
  return rows;
}
