import type { Queryable, ReportKind, ReportTransport } from '@app/database';
import type { ReportContent } from './content.js';
import type { Period } from './report-day.js';

/** Tried for so long, then given up. */
const GIVE_UP_AFTER = `interval '24 hours'`;

export interface NewReport {
  kind: ReportKind;
  /** Unique together with the kind. */
  key: string;
  transport: ReportTransport;
  date?: string;
  period?: Period;
  mailingId?: number;
  /** Absent: written later, by what is known then. */
  content?: ReportContent;
  recipients?: string[];
}

/** Adds what is not there yet; what is there, in whatever state, stays as it is. */
export async function addReportsOnce(
  db: Queryable,
  reports: readonly NewReport[],
  now: Date,
): Promise<number> {
  const { rowCount } = await db.query({
    name: 'add-reports-once',
    text: `
      INSERT INTO reports (kind, key, transport, date, period_from, period_to, mailing_id, content,
        recipients, message_id, not_before, give_up_at)
      SELECT r.kind::report_kind, r.key, r.transport::report_transport, r.date, r.period_from, r.period_to,
        r.mailing_id, r.content, ARRAY(SELECT jsonb_array_elements_text(r.recipients)),
        gen_random_uuid(), $2::timestamptz, $2::timestamptz + ${GIVE_UP_AFTER}
      FROM jsonb_to_recordset($1::jsonb) AS r (kind text, key text, transport text, date date,
        period_from timestamptz, period_to timestamptz, mailing_id bigint, content jsonb, recipients jsonb)
      ON CONFLICT (kind, key, transport) WHERE NOT requested DO NOTHING`,
    values: [JSON.stringify(reports.map(rowOf)), now],
  });
  return rowCount ?? 0;
}

/**
 * Adds the daily report of a date. It begins where the last one ended, whatever the settings were
 * then: together the reports cover every moment once. There is none for a date whose report time
 * the last one has passed already, or which is not after that one's.
 *
 * @param period by the settings of now; where it begins counts only for the first report of all
 */
export async function addDailyOnce(
  db: Queryable,
  date: string,
  { from, to }: Period,
  now: Date,
): Promise<number> {
  const { rowCount } = await db.query({
    name: 'add-daily-once',
    text: `
      INSERT INTO reports (kind, key, transport, date, period_from, period_to, message_id, not_before, give_up_at)
      SELECT 'daily', $1::date::text, 'email', $1::date, COALESCE(last.period_to, $2), $3, gen_random_uuid(),
        $4::timestamptz, $4::timestamptz + ${GIVE_UP_AFTER}
      FROM (VALUES (1)) AS one (row) LEFT JOIN LATERAL (
        SELECT date, period_to FROM reports WHERE date IS NOT NULL AND NOT requested
        ORDER BY date DESC, id DESC LIMIT 1) last ON true
      WHERE last.date IS NULL OR (last.date < $1::date AND last.period_to < $3)
      ON CONFLICT (kind, key, transport) WHERE NOT requested DO NOTHING`,
    values: [date, from, to, now],
  });
  return rowCount ?? 0;
}

function rowOf(report: NewReport): object {
  const { date, period, mailingId, content, recipients, ...rest } = report;
  return {
    ...rest,
    date: date ?? null,
    period_from: period?.from ?? null,
    period_to: period?.to ?? null,
    mailing_id: mailingId ?? null,
    content: content ?? null,
    recipients: recipients ?? [],
  };
}

/** A report that waits for its content. */
export interface UnwrittenReport {
  id: number;
  kind: ReportKind;
  date: string | null;
  mailingId: number | null;
  requested: boolean;
  periodFrom: Date | null;
  periodTo: Date | null;
}

/** A page of them, oldest first. @param after only reports with a larger id */
export async function findUnwritten(
  db: Queryable,
  after: number,
  limit: number,
): Promise<UnwrittenReport[]> {
  const { rows } = await db.query<UnwrittenReport>({
    name: 'find-unwritten-reports',
    text: `
      SELECT id, kind, date::text AS date, mailing_id AS "mailingId", requested,
        period_from AS "periodFrom", period_to AS "periodTo"
      FROM reports WHERE status = 'pending' AND content IS NULL AND id > $1 ORDER BY id LIMIT $2`,
    values: [after, limit],
  });
  return rows;
}

export interface Writing {
  content: ReportContent;
  attachment: string | null;
  period: Period | null;
  recipients: string[];
}

export async function writeIfUnwritten(db: Queryable, id: number, writing: Writing): Promise<void> {
  await db.query({
    name: 'write-report-if-unwritten',
    text: `
      UPDATE reports SET content = $2, attachment = $3, period_from = $4, period_to = $5,
        recipients = $6, error_code = NULL, error = NULL
      WHERE id = $1 AND status = 'pending' AND content IS NULL`,
    values: [
      id,
      JSON.stringify(writing.content),
      writing.attachment,
      writing.period?.from ?? null,
      writing.period?.to ?? null,
      writing.recipients,
    ],
  });
}

/** Stores why a report has no content yet; the last time, when there is no more time to try again. */
export async function noteUnwritten(
  db: Queryable,
  id: number,
  reason: string,
  now: Date,
): Promise<void> {
  await db.query({
    name: 'note-unwritten-report',
    text: `
      UPDATE reports SET error_code = 'not_written', error = $2,
        status = CASE WHEN give_up_at <= $3 THEN 'failed' ELSE status END
      WHERE id = $1 AND status = 'pending' AND content IS NULL`,
    values: [id, reason, now],
  });
}

/** The content of a past day's scheduled report; null when there was none. */
export async function readDailyOf(
  db: Queryable,
  date: string,
): Promise<(Pick<Writing, 'content' | 'attachment'> & { period: Period }) | null> {
  const { rows } = await db.query<{
    content: ReportContent;
    attachment: string | null;
    from: Date;
    to: Date;
  }>({
    name: 'read-daily-of',
    text: `
      SELECT content, attachment, period_from AS "from", period_to AS "to" FROM reports
      WHERE kind = 'daily' AND key = $1 AND transport = 'email' AND NOT requested AND content IS NOT NULL`,
    values: [date],
  });
  const [row] = rows;
  return row
    ? { content: row.content, attachment: row.attachment, period: { from: row.from, to: row.to } }
    : null;
}

/** A mailing that was deleted before its report was written has none. */
export async function dropUnwritten(db: Queryable, id: number): Promise<void> {
  await db.query({
    name: 'drop-unwritten-report',
    text: `DELETE FROM reports WHERE id = $1 AND content IS NULL`,
    values: [id],
  });
}

/**
 * A report that cannot be sent is kept to be read: all of it when nothing sends that transport (`reason` says why),
 * otherwise what has no recipients.
 */
export async function keepUnsendable(
  db: Queryable,
  transport: ReportTransport,
  reason: string | null,
): Promise<void> {
  await db.query({
    name: 'keep-unsendable-reports',
    text: `
      UPDATE reports SET status = 'kept',
        error_code = CASE WHEN $2::text IS NULL THEN 'no_recipients' ELSE 'no_transport' END,
        error = COALESCE($2, 'There are no recipients')
      WHERE transport = $1::report_transport AND status = 'pending' AND content IS NOT NULL
        AND ($2::text IS NOT NULL OR recipients = '{}')`,
    values: [transport, reason],
  });
}
