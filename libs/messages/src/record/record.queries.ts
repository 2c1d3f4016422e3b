import type { ChannelPolicy } from '@app/channels';
import {
  type AttemptOutcome,
  bookMoves,
  intArray,
  type MessageStatus,
  type Queryable,
} from '@app/database';

/** What is to be recorded of one attempt. */
export interface AttemptResult {
  id: number;
  attempt: number;
  outcome: AttemptOutcome;
  /** The provider may have seen it: counts for backoff and limits. */
  countsAsTry: boolean;
  /** Wait before the next try, ms; null: by the schedule. */
  delayMs: number | null;
  durationMs: number | null;
  httpStatus: number | null;
  code: string | null;
  detail: string | null;
  excerpt: string | null;
}

/** How a channel's messages are tried again. */
export type RetryPolicy = Pick<ChannelPolicy, 'repeatUnknown' | 'retryScheduleS' | 'retryJitter'>;

export interface Recorded {
  id: number;
  status: MessageStatus;
}

/**
 * Moves the messages, appends the attempts and changes the counters in one statement. `id`s must
 * differ from each other.
 *
 * The fence: a result counts only for the attempt that is under way. With one exception: the
 * provider's confirmation counts for any later state that is still open, because
 * all attempts of a message carry the same id.
 *
 * @returns the messages that moved, with their new status; what the fence refused is missing.
 */
export async function recordOutcomesIfStillSending(
  db: Queryable,
  results: AttemptResult[],
  policy: RetryPolicy,
): Promise<Recorded[]> {
  if (results.every((result) => result.outcome === 'delivered')) {
    return recordDeliveredIfStillOpen(db, results);
  }
  const { rows } = await db.query<Recorded>({
    name: 'record-outcomes-if-still-sending',
    text: RECORD,
    values: [
      results.map((r) => r.id),
      results.map((r) => r.attempt),
      results.map((r) => r.outcome),
      results.map((r) => r.countsAsTry),
      results.map((r) => r.delayMs),
      results.map((r) => r.durationMs),
      results.map((r) => r.httpStatus),
      results.map((r) => r.code),
      results.map((r) => r.detail),
      results.map((r) => r.excerpt),
      policy.repeatUnknown,
      policy.retryScheduleS,
      policy.retryJitter,
    ],
  });
  return rows;
}

/**
 * The same for a batch in which all were delivered, as nearly all are: half of the work, for there
 * is nothing to decide, no attempt to append and no wait to compute.
 */
async function recordDeliveredIfStillOpen(
  db: Queryable,
  results: AttemptResult[],
): Promise<Recorded[]> {
  const { rows } = await db.query<Recorded>({
    name: 'record-delivered-if-still-open',
    text: RECORD_DELIVERED,
    values: [
      intArray(results.map((r) => r.id)),
      intArray(results.map((r) => r.attempt)),
      intArray(results.map((r) => r.durationMs)),
    ],
  });
  return rows;
}

/** Seconds to wait before the next try, as SQL, of the number of tries so far. */
const SCHEDULED_WAIT = `($12::float8[])[LEAST(a.tries_now, cardinality($12::float8[]))]
  * (1 + $13::float8 * (2 * random() - 1))`;

/** `l` is the locked row, `o` the result: the attempt that is under way, or a late confirmation. */
const CONFIRMS = `(l.attempts >= o.attempt AND l.status IN ('sending', 'pending', 'unknown'))`;

/**
 * An attempt that may have reached the client, after or beside another one of which the same is true.
 * A confirmation that comes late for the only attempt so far finds the message no longer `sending`.
 */
const REPEATS = `(l.status = 'sending' AND l.unconfirmed)`;

const WAS = { column: 'was', oneOf: ['sending', 'pending', 'unknown'] } as const;

const BOOK_DELIVERED = bookMoves({
  rows: 'moved',
  from: WAS,
  to: 'sent',
  of: 'many',
  repeated: 'repeats',
});

const BOOK_OUTCOMES = bookMoves({
  rows: 'decided',
  from: WAS,
  to: { column: 'becomes', oneOf: ['sent', 'failed', 'unknown', 'pending'] },
  of: 'many',
  repeated: 'repeats AND NOT was_repeated',
  bad: `outcome NOT IN ('delivered', 'unavailable')`,
});

/**
 * Here and below every column that a CHECK mentions is set from the locked row, also what stays as it
 * is: PostgreSQL checks the new row before it notices that the snapshot's version is outdated, and
 * would see a mixture of both.
 */
const RECORD_DELIVERED = `
WITH locked AS (
  SELECT m.id, m.mailing_id, m.status, m.attempts, m.tries, m.unconfirmed, m.repeated
  FROM messages m WHERE m.id = ANY ($1::bigint[]) ORDER BY m.id FOR UPDATE
), moved AS (
  UPDATE messages m SET status = 'sent', attempts = l.attempts, tries = LEAST(l.tries + 1, l.attempts),
    lease_until = NULL, sent_at = clock_timestamp(), latency_ms = o.duration_ms, unconfirmed = false,
    repeated = l.repeated OR ${REPEATS}, last_error_code = NULL, last_error = NULL
  FROM locked l JOIN unnest($1::bigint[], $2::int[], $3::int[]) AS o (id, attempt, duration_ms) ON o.id = l.id
  WHERE m.id = l.id AND ${CONFIRMS}
  RETURNING m.id, m.mailing_id, l.status AS was, NOT l.repeated AND ${REPEATS} AS repeats
), ${BOOK_DELIVERED}
SELECT id, 'sent'::message_status AS status FROM moved`;

const RECORD = `
WITH o AS (
  SELECT * FROM unnest($1::bigint[], $2::int[], $3::attempt_outcome[], $4::bool[], $5::float8[], $6::int[],
    $7::int[], $8::text[], $9::text[], $10::text[])
    AS t (id, attempt, outcome, counts, delay_ms, duration_ms, http_status, code, detail, excerpt)
), locked AS (
  SELECT m.id, m.mailing_id, m.status, m.attempts, m.tries, m.unconfirmed, m.repeated, m.content_version
  FROM messages m WHERE m.id = ANY ($1::bigint[]) ORDER BY m.id FOR UPDATE
), accepted AS (
  SELECT l.id, l.mailing_id, l.status AS was, l.content_version, l.repeated AS was_repeated,
    o.attempt, o.outcome, o.delay_ms, o.duration_ms, o.http_status, o.code, o.detail, o.excerpt,
    l.attempts AS attempts_now, LEAST(l.tries + o.counts::int, l.attempts) AS tries_now,
    o.outcome <> 'delivered' AND (l.unconfirmed OR o.outcome = 'unknown') AS doubtful,
    o.outcome IN ('delivered', 'unknown') AND ${REPEATS} AS repeats,
    o.counts AND l.tries + 1 >= COALESCE(g.max_tries, 2147483647) AS spent
  FROM locked l JOIN o ON o.id = l.id JOIN mailings g ON g.id = l.mailing_id
  WHERE (l.status = 'sending' AND l.attempts = o.attempt /* fence */)
     OR (o.outcome = 'delivered' AND ${CONFIRMS})
), decided AS (
  SELECT a.*, CASE
      WHEN a.outcome = 'delivered' THEN 'sent'
      WHEN a.outcome = 'unknown' AND NOT $11 THEN 'unknown'
      WHEN a.outcome = 'rejected' OR a.spent THEN CASE WHEN a.doubtful THEN 'unknown' ELSE 'failed' END
      ELSE 'pending'
    END::message_status AS becomes
  FROM accepted a
), moved AS (
  UPDATE messages m SET
    status = a.becomes,
    attempts = a.attempts_now, /* unchanged: see above */
    tries = a.tries_now,
    lease_until = NULL,
    not_before = CASE WHEN a.becomes = 'pending'
      THEN clock_timestamp() + make_interval(secs => COALESCE(a.delay_ms / 1000.0, ${SCHEDULED_WAIT}))
      ELSE m.not_before END,
    sent_at = CASE WHEN a.becomes = 'sent' THEN clock_timestamp() END,
    latency_ms = CASE WHEN a.becomes = 'sent' THEN a.duration_ms END,
    unconfirmed = a.doubtful,
    repeated = a.was_repeated OR a.repeats,
    last_error_code = a.code,
    last_error = a.detail
  FROM decided a WHERE m.id = a.id
  RETURNING m.id
), noted AS (
  INSERT INTO delivery_attempts
    (message_id, attempt, at, duration_ms, outcome, http_status, error_code, error, content_version, excerpt)
  SELECT id, attempt, clock_timestamp() - make_interval(secs => COALESCE(duration_ms, 0) / 1000.0), duration_ms,
    outcome, http_status, COALESCE(code, ''), detail, content_version, excerpt
  FROM decided WHERE outcome <> 'delivered'
), ${BOOK_OUTCOMES}, grouped AS (
  INSERT INTO mailing_errors AS t (mailing_id, hour, code, attempts, detail, last_at)
  SELECT d.mailing_id, date_trunc('hour', clock_timestamp(), 'UTC'), COALESCE(d.code, ''), count(*),
    max(d.detail), clock_timestamp()
  FROM decided d JOIN counted USING (mailing_id)
  WHERE d.outcome <> 'delivered' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (mailing_id, hour, code) DO UPDATE SET
    attempts = t.attempts + excluded.attempts, detail = excluded.detail, last_at = excluded.last_at
)
SELECT id, becomes AS status FROM decided`;
