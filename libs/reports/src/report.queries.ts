import {
  type Queryable,
  readClock,
  type Report,
  REPORT_REQUESTS_LOCK,
  type ReportKind,
  WAKE_CHANNEL,
} from '@app/database';
import type { ReportContent } from './content.js';

/** A report as its readers see it; what it says is read apart, for that is long. */
export type ReportRecord = Pick<
  Report,
  | 'id'
  | 'kind'
  | 'key'
  | 'transport'
  | 'requested'
  | 'date'
  | 'mailingId'
  | 'periodFrom'
  | 'periodTo'
  | 'recipients'
  | 'accepted'
  | 'refused'
  | 'status'
  | 'attempts'
  | 'notBefore'
  | 'giveUpAt'
  | 'possibleDuplicate'
  | 'sentAt'
  | 'answer'
  | 'errorCode'
  | 'error'
  | 'createdAt'
>;

const COLUMNS = `
  id, kind, key, transport, requested, date::text AS date, mailing_id AS "mailingId",
  period_from AS "periodFrom", period_to AS "periodTo", recipients, accepted, refused, status, attempts,
  not_before AS "notBefore", give_up_at AS "giveUpAt", possible_duplicate AS "possibleDuplicate",
  sent_at AS "sentAt", answer, error_code AS "errorCode", error, created_at AS "createdAt"`;

/** Of a bigint. */
const LAST_ID = '9223372036854775807';

export interface ReportFilter {
  kind: ReportKind | null;
  /** Only reports below this id: newest first. */
  before: number | null;
  limit: number;
}

export async function listReports(
  db: Queryable,
  { kind, before, limit }: ReportFilter,
): Promise<ReportRecord[]> {
  // Two statements, each with an index that leads to its page whatever lies behind it.
  const { rows } = await db.query<ReportRecord>({
    name: kind === null ? 'list-reports' : 'list-reports-of-kind',
    text: `
      SELECT ${COLUMNS} FROM reports
      WHERE id < COALESCE($1::bigint, ${LAST_ID}) ${kind === null ? '' : 'AND kind = $3::report_kind'}
      ORDER BY id DESC LIMIT $2`,
    values: [before, limit, ...(kind === null ? [] : [kind])],
  });
  return rows;
}

export async function readReport(db: Queryable, id: number): Promise<ReportRecord | null> {
  const { rows } = await db.query<ReportRecord>({
    name: 'read-report',
    text: `SELECT ${COLUMNS} FROM reports WHERE id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

/** The reports of a date, newest first. @param date `YYYY-MM-DD` */
export async function readReportsOf(
  db: Queryable,
  date: string,
  limit: number,
): Promise<(ReportRecord & { content: ReportContent | null })[]> {
  const { rows } = await db.query<ReportRecord & { content: ReportContent | null }>({
    name: 'read-reports-of',
    text: `SELECT ${COLUMNS}, content FROM reports WHERE date = $1 ORDER BY id DESC LIMIT $2`,
    values: [date, limit],
  });
  return rows;
}

/**
 * The database's time, for a request of a report by hand. Until the transaction ends no other request
 * is counted, so that the limit holds.
 */
export async function lockRequests(db: Queryable): Promise<Date> {
  await db.query({ text: `SELECT pg_advisory_xact_lock(${REPORT_REQUESTS_LOCK})` });
  return readClock(db);
}

/**
 * How long to wait until fewer than `most` reports were asked for within the last `seconds`.
 *
 * @returns whole seconds, at least 1; null: no time
 */
export async function secondsToWait(
  db: Queryable,
  now: Date,
  { most, seconds }: { most: number; seconds: number },
): Promise<number | null> {
  const { rows } = await db.query<{ wait: number }>({
    name: 'seconds-to-wait-for-a-report',
    text: `
      SELECT GREATEST(1, ceil(extract(epoch FROM created_at - $1::timestamptz) + $2))::int AS wait
      FROM reports WHERE requested AND created_at > $1::timestamptz - make_interval(secs => $2::float8)
      ORDER BY created_at DESC OFFSET $3 LIMIT 1`,
    values: [now, seconds, most - 1],
  });
  return rows[0]?.wait ?? null;
}

/** Asks for the daily report of a date again, and wakes beat. */
export async function requestDaily(db: Queryable, date: string): Promise<ReportRecord> {
  const { rows } = await db.query<ReportRecord>({
    name: 'request-daily',
    text: `
      WITH requested AS (
        INSERT INTO reports (kind, key, transport, requested, date, message_id, not_before, give_up_at)
        VALUES ('daily', $1::date::text, 'email', true, $1::date, gen_random_uuid(), clock_timestamp(),
          clock_timestamp() + interval '24 hours')
        RETURNING ${COLUMNS}
      ), woken AS MATERIALIZED (SELECT pg_notify('${WAKE_CHANNEL}', '') FROM requested)
      SELECT requested.* FROM requested, woken`,
    values: [date],
  });
  const [report] = rows;
  if (!report) throw new Error('The report that was asked for is not there');
  return report;
}
