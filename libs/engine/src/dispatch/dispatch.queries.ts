import { type BreakerState, intArray, type Queryable } from '@app/database';

export interface LaneState {
  id: number;
  name: string;
  state: BreakerState;
  /** The provider asked for a pause that is not over. */
  paused: boolean;
  probeDue: boolean;
  ratePerSecond: number | null;
  /** How far ahead of now the claims have given moments of this rate away, ms; negative: they wait. */
  grantedAheadMs: number | null;
}

export async function readLanes(db: Queryable): Promise<LaneState[]> {
  const { rows } = await db.query<LaneState>({
    name: 'read-lanes',
    text: `
      SELECT id, name, state, COALESCE(paused_until > clock_timestamp(), false) AS paused,
        COALESCE(probe_at <= clock_timestamp(), false) AS "probeDue", rate_per_second AS "ratePerSecond",
        (extract(epoch FROM next_send_at - clock_timestamp()) * 1000)::float8 AS "grantedAheadMs"
      FROM lanes ORDER BY id`,
  });
  return rows;
}

/** A running mailing with something to send. */
export interface RunningMailing {
  id: number;
  laneId: number;
  ratePerSecond: number | null;
  /** How far ahead of now the claims have given moments of its rate away, ms; negative: they wait. */
  grantedAheadMs: number | null;
  /** Grows when more is planned. */
  total: number;
  /** Changes with each edit, pause, resume or other change by a caller. */
  version: string;
}

/** A running mailing with the zones that may be sent to right now. */
export interface OpenMailing extends RunningMailing {
  zones: readonly number[];
}

export async function findRunning(db: Queryable): Promise<RunningMailing[]> {
  const { rows } = await db.query<RunningMailing>({
    name: 'find-running',
    text: `
      SELECT g.id, g.lane_id AS "laneId", g.rate_per_second AS "ratePerSecond", k.total,
        (extract(epoch FROM k.next_send_at - clock_timestamp()) * 1000)::float8 AS "grantedAheadMs",
        extract(epoch FROM g.updated_at)::text AS version
      FROM mailings g
      JOIN mailing_counters k ON k.mailing_id = g.id AND k.pending > 0
      WHERE g.finished_at IS NULL AND g.deleted_at IS NULL AND g.status = 'running'
        AND g.end_at > clock_timestamp()
      ORDER BY g.id`,
  });
  return rows;
}

/** The zones of these mailings whose slots are open; a mailing without any is missing. */
export async function findOpenZones(
  db: Queryable,
  mailingIds: number[],
): Promise<{ mailingId: number; zones: number[] }[]> {
  const { rows } = await db.query<{ mailingId: number; zones: number[] }>({
    name: 'find-open-zones',
    text: `
      SELECT s.mailing_id AS "mailingId", array_agg(s.zone_id ORDER BY s.zone_id) AS zones
      FROM mailing_slots s
      WHERE s.mailing_id = ANY ($1::bigint[])
        AND s.opens_at <= clock_timestamp() AND s.closes_at > clock_timestamp()
      GROUP BY s.mailing_id`,
    values: [intArray(mailingIds)],
  });
  return rows;
}

/** Those of the given messages that are pending, with the attempts that they have had. */
export async function findStillPending(
  db: Queryable,
  ids: number[],
): Promise<{ id: number; attempts: number }[]> {
  const { rows } = await db.query<{ id: number; attempts: number }>({
    name: 'find-still-pending',
    text: `SELECT id, attempts FROM messages WHERE id = ANY ($1::bigint[]) AND status = 'pending'`,
    values: [intArray(ids)],
  });
  return rows;
}

/** Where a scan of one mailing and zone continues, along the index (not_before, id). */
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
