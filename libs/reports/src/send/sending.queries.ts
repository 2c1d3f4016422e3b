import type { Queryable, ReportKind, ReportTransport } from '@app/database';
import type { ReportContent } from '../content.js';
import type { ReportErrorCode } from './send-failure.js';

/** A report whose sending has begun. */
export interface ClaimedReport {
  id: number;
  kind: ReportKind;
  key: string;
  date: string | null;
  messageId: string;
  content: ReportContent;
  attachment: string | null;
  recipients: string[];
  /** Recipients whose server has accepted it in an earlier attempt. */
  accepted: string[];
  /** Recipients whose server has refused it for good in an earlier attempt. */
  refused: Refusal[];
  /** This one included. */
  attempts: number;
  possibleDuplicate: boolean;
  giveUpAt: Date;
}

/** A recipient's server refused it for good. */
export interface Refusal {
  recipient: string;
  /** Its words. */
  answer: string;
}

/** Whether there is anything to do: asked often, answered by an index. */
export async function hasOpenReports(db: Queryable, transport: ReportTransport): Promise<boolean> {
  const { rows } = await db.query<{ open: boolean }>({
    name: 'has-open-reports',
    text: `SELECT EXISTS (SELECT FROM reports
      WHERE transport = $1::report_transport AND status IN ('pending', 'sending')) AS open`,
    values: [transport],
  });
  return rows[0]?.open ?? false;
}

/**
 * Gives back what an attempt left behind that nobody will end: only the leader sends, one report per
 * transport at a time, so whatever is `sending` and not in `held` was begun by a process that has
 * ended. If it had begun to hand over the content, nobody knows whether it arrived: the next attempt
 * may be the second copy, and says so.
 */
export async function returnAbandoned(
  db: Queryable,
  transport: ReportTransport,
  held: readonly number[],
  now: Date,
): Promise<{ id: number; uncertain: boolean }[]> {
  const { rows } = await db.query<{ id: number; uncertain: boolean }>({
    name: 'return-abandoned-reports',
    text: `
      UPDATE reports SET status = 'pending', not_before = $3,
        possible_duplicate = possible_duplicate OR handed_over_at IS NOT NULL,
        error_code = 'interrupted',
        error = CASE WHEN handed_over_at IS NULL THEN 'The process ended before it was sent'
          ELSE 'The process ended while it was being sent: it may have arrived' END
      WHERE transport = $1::report_transport AND status = 'sending' AND NOT id = ANY ($2::bigint[])
      RETURNING id, handed_over_at IS NOT NULL AS uncertain`,
    values: [transport, held, now],
  });
  return rows;
}

/** Begins the next attempt of the report that has waited longest. */
export async function claimDueReport(
  db: Queryable,
  transport: ReportTransport,
  now: Date,
): Promise<ClaimedReport | null> {
  const { rows } = await db.query<ClaimedReport>({
    name: 'claim-due-report',
    text: `
      UPDATE reports SET status = 'sending', attempts = attempts + 1, handed_over_at = NULL
      WHERE status = 'pending' AND id = (
        SELECT id FROM reports
        WHERE transport = $1::report_transport AND status = 'pending' AND content IS NOT NULL
          AND recipients <> '{}' AND not_before <= $2
        ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING id, kind, key, date::text AS date, message_id AS "messageId", content, attachment,
        recipients, accepted, refused, attempts, possible_duplicate AS "possibleDuplicate", give_up_at AS "giveUpAt"`,
    values: [transport, now],
  });
  return rows[0] ?? null;
}

/**
 * Directly before the content is handed over: from here on it may arrive.
 *
 * @returns false when another process makes the attempt.
 */
export async function markHandedOverIfSending(
  db: Queryable,
  id: number,
  attempt: number,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'mark-handed-over-if-sending',
    text: `UPDATE reports SET handed_over_at = clock_timestamp()
      WHERE id = $1 AND attempts = $2 AND status = 'sending'`,
    values: [id, attempt],
  });
  return rowCount === 1;
}

/** The outcome of an attempt. */
export interface ReportAttempt {
  id: number;
  attempt: number;
  becomes: 'sent' | 'pending' | 'failed';
  /** Of `pending`. */
  notBefore: Date | null;
  accepted: string[];
  refused: Refusal[];
  /** It is unknown whether it arrived. */
  uncertain: boolean;
  answer: string | null;
  errorCode: ReportErrorCode | null;
  error: string | null;
}

/** May be repeated: the second time finds the attempt recorded already and changes nothing. */
export async function recordAttemptIfSending(db: Queryable, record: ReportAttempt): Promise<void> {
  await db.query({
    name: 'record-attempt-if-sending',
    text: `
      UPDATE reports SET status = $3::report_status, not_before = COALESCE($4, not_before),
        accepted = accepted || $5::text[], refused = refused || $6::jsonb,
        possible_duplicate = possible_duplicate OR $7, answer = $8, error_code = $9, error = $10,
        sent_at = CASE WHEN $3 = 'sent' THEN clock_timestamp() END
      WHERE id = $1 AND attempts = $2 AND status = 'sending'`,
    values: [
      record.id,
      record.attempt,
      record.becomes,
      record.notBefore,
      record.accepted,
      JSON.stringify(record.refused),
      record.uncertain,
      record.answer,
      record.errorCode,
      record.error,
    ],
  });
}
