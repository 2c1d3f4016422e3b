import type { DataSource } from 'typeorm';

const FINAL = ['sent', 'failed', 'expired', 'cancelled', 'unknown'];
const STATUSES = ['pending', 'sending', ...FINAL];

const sums = (columns: readonly string[]) =>
  columns.map((column) => `COALESCE(sum(${column}), 0) AS ${column}`).join(', ');
const rowOf = (table: string, columns: readonly string[]) =>
  `ROW(${columns.map((column) => `${table}.${column}`).join(', ')})`;

const BOOKED = [...STATUSES, 'bad_attempts'];
const COUNTED = ['total', ...STATUSES, 'repeated'];

/** Counters against rows, of every mailing, at one moment. No rows: they agree. */
export const COUNTERS_AGAINST_ROWS = `
  SELECT k.mailing_id AS id, 'rows' AS against, to_jsonb(k) AS counters, to_jsonb(m) AS found
  FROM mailing_counters k
  CROSS JOIN LATERAL (
    SELECT count(*) AS total, ${STATUSES.map((s) => `count(*) FILTER (WHERE status = '${s}') AS ${s}`).join(', ')},
      count(*) FILTER (WHERE repeated) AS repeated
    FROM messages WHERE mailing_id = k.mailing_id
  ) m
  WHERE ${rowOf('k', COUNTED)} IS DISTINCT FROM ${rowOf('m', COUNTED)}`;

/** Counters against the sum of their activity, of every mailing, at one moment. */
export const COUNTERS_AGAINST_ACTIVITY = `
  SELECT k.mailing_id AS id, 'activity' AS against, to_jsonb(k) AS counters, to_jsonb(a) AS found
  FROM mailing_counters k
  CROSS JOIN LATERAL (
    SELECT ${sums(BOOKED)} FROM mailing_activity WHERE mailing_id = k.mailing_id
  ) a
  WHERE ${rowOf('k', BOOKED)} IS DISTINCT FROM ${rowOf('a', BOOKED)}`;

/** The totals against the counters of all finished mailings, and these against the mailings. */
export const TOTALS_AGAINST_COUNTERS = `
  SELECT 0 AS id, 'totals' AS against, to_jsonb(t) AS counters, to_jsonb(k) AS found
  FROM mailing_totals t
  CROSS JOIN (
    SELECT count(*) AS mailings, ${sums(COUNTED)} FROM mailing_counters WHERE in_totals
  ) k
  WHERE ${rowOf('t', ['mailings', ...COUNTED])} IS DISTINCT FROM ${rowOf('k', ['mailings', ...COUNTED])}
  UNION ALL
  SELECT g.id, 'finished', to_jsonb(k), jsonb_build_object('finished_at', g.finished_at)
  FROM mailing_counters k JOIN mailings g ON g.id = k.mailing_id
  WHERE k.in_totals <> (g.finished_at IS NOT NULL)`;

export interface Disagreement {
  /** Of the mailing; 0: of all. */
  id: number;
  against: string;
  counters: Record<string, unknown>;
  found: Record<string, unknown>;
}

/** Where the numbers of the mailings differ from what they count; empty where all of them agree. */
export async function disagreements(dataSource: DataSource): Promise<Disagreement[]> {
  return dataSource.query(
    [COUNTERS_AGAINST_ROWS, COUNTERS_AGAINST_ACTIVITY, TOTALS_AGAINST_COUNTERS].join(
      '\nUNION ALL\n',
    ),
  );
}
