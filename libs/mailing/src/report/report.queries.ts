import { type Queryable, type Report, type ReportKind, WAKE_CHANNEL } from '@app/domain';
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
  | 'error'
  | 'createdAt'
>;

const COLUMNS = `
  id, kind, key, transport, requested, date::text AS date, mailing_id AS "mailingId",
  period_from AS "periodFrom", period_to AS "periodTo", recipients, accepted, refused, status, attempts,
  not_before AS "notBefore", give_up_at AS "giveUpAt", possible_duplicate AS "possibleDuplicate",
  sent_at AS "sentAt", answer, error, created_at AS "createdAt"`;

export interface ReportFilter {
  kind: ReportKind | null;
  /** Only reports below this id: newest first. */
  before: number | null;
  limit: number;
}

export async function listReports(db: Queryable, filter: ReportFilter): Promise<ReportRecord[]> {
  const { rows } = await db.query<ReportRecord>({
    name: 'list-reports',
    text: `
      SELECT ${COLUMNS} FROM reports
      WHERE ($1::bigint IS NULL OR id < $1) AND ($2::report_kind IS NULL OR kind = $2)
      ORDER BY id DESC LIMIT $3`,
    values: [filter.before, filter.kind, filter.limit],
  });
  return rows;
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
 * Asks for the daily report of a date once more, and wakes beat.
 *
 * @returns null when the date has not begun anywhere on Earth.
 */
export async function requestDailyIfNotFuture(
  db: Queryable,
  date: string,
): Promise<ReportRecord | null> {
  const { rows } = await db.query<ReportRecord>({
    name: 'request-daily-if-not-future',
    text: `
      WITH requested AS (
        INSERT INTO reports (kind, key, transport, requested, date, message_id, not_before, give_up_at)
        SELECT 'daily', $1::date::text, 'email', true, $1::date, gen_random_uuid(), clock_timestamp(),
          clock_timestamp() + interval '24 hours'
        WHERE $1::date <= (clock_timestamp() AT TIME ZONE 'UTC' + interval '14 hours')::date
        RETURNING ${COLUMNS}
      ), woken AS MATERIALIZED (SELECT pg_notify('${WAKE_CHANNEL}', '') FROM requested)
      SELECT requested.* FROM requested, woken`,
    values: [date],
  });
  return rows[0] ?? null;
}
