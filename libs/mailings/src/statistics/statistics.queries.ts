import type { MailingStatus, MessageCounts, Queryable } from '@app/database';

/**
 * Everything here reads counters and minute buckets, and one row of totals for all finished mailings:
 * the cost grows neither with the messages nor with the mailings of the past.
 */

export interface MailingSummary {
  id: number;
  name: string;
  status: MailingStatus;
  startAt: Date;
  endAt: Date;
  total: number;
  /** Those that may have reached their client twice; whatever their status. */
  repeated: number;
  counts: MessageCounts;
}

export interface GeneralTotals {
  mailings: number;
  total: number;
  repeated: number;
  counts: MessageCounts;
}

const STATUS_COUNTS = ['pending', 'sending', 'sent', 'failed', 'expired', 'cancelled', 'unknown'];

const counts = (expression: (status: string) => string) =>
  `json_build_object(${STATUS_COUNTS.map((status) => `'${status}', ${expression(status)}`).join(', ')})`;

/** Totals and one page of mailings, newest first, of one and the same moment. */
export async function readGeneralStatistics(
  db: Queryable,
  page: { before: number | null; limit: number },
): Promise<{ totals: GeneralTotals; items: MailingSummary[] }> {
  const { rows } = await db.query<GeneralTotals & { item: SummaryRow | null }>({
    name: 'read-general-statistics',
    text: `
      WITH totals AS MATERIALIZED (
        SELECT t.mailings + k.mailings AS mailings, t.total + k.total AS total,
          t.repeated + k.repeated AS repeated, ${counts((status) => `t.${status} + k.${status}`)} AS counts
        FROM mailing_totals t CROSS JOIN (
          SELECT count(*) AS mailings,
            ${['total', 'repeated', ...STATUS_COUNTS].map((name) => `COALESCE(sum(${name}), 0)::bigint AS ${name}`).join(', ')}
          FROM mailing_counters WHERE NOT in_totals
        ) k
      ), page AS MATERIALIZED (
        SELECT g.id, json_build_object('id', g.id, 'name', g.name, 'status', g.status,
          'startAt', extract(epoch FROM g.start_at) * 1000, 'endAt', extract(epoch FROM g.end_at) * 1000,
          'total', k.total, 'repeated', k.repeated, 'counts', ${counts((status) => `k.${status}`)}) AS item
        FROM mailings g JOIN mailing_counters k ON k.mailing_id = g.id
        WHERE g.deleted_at IS NULL AND ($1::bigint IS NULL OR g.id < $1)
        ORDER BY g.id DESC LIMIT $2
      )
      SELECT totals.*, page.item FROM totals LEFT JOIN page ON true ORDER BY page.id DESC`,
    values: [page.before, page.limit],
  });
  const [first] = rows;
  if (!first) throw new Error('An aggregate without GROUP BY gave no row');
  const { mailings, total, repeated, counts: sums } = first;
  return {
    totals: { mailings, total, repeated, counts: sums },
    items: rows.flatMap(({ item }) => (item ? [summaryOf(item)] : [])),
  };
}

/** JSON has no dates: the instants travel as milliseconds. */
type SummaryRow = Omit<MailingSummary, 'startAt' | 'endAt'> & { startAt: number; endAt: number };

function summaryOf(row: SummaryRow): MailingSummary {
  return { ...row, startAt: new Date(row.startAt), endAt: new Date(row.endAt) };
}

/** Messages sent in one minute of the clock. */
export interface MinuteBucket {
  minute: Date;
  sent: number;
}

export interface StatisticsRow extends MailingSummary {
  /** Whether `total` is final. */
  planned: boolean;
  endedAt: Date | null;
  finishedAt: Date | null;
  /** Whether there was an alert about its error rate. */
  alertSent: boolean;
  /** Whether its lane takes messages now. */
  laneOpen: boolean;
  /** The database's clock at the moment of all this. */
  now: Date;
  /** This minute and the one before. */
  recent: MinuteBucket[];
}

export async function readStatistics(db: Queryable, id: number): Promise<StatisticsRow | null> {
  const { rows } = await db.query<
    Omit<StatisticsRow, 'recent'> & { recent: { minute: number; sent: number }[] }
  >({
    name: 'read-statistics',
    text: `
      SELECT g.id, g.name, g.status, g.start_at AS "startAt", g.end_at AS "endAt", k.total,
        k.repeated, ${counts((status) => `k.${status}`)} AS counts, k.planned,
        g.ended_at AS "endedAt", g.finished_at AS "finishedAt",
        EXISTS (SELECT FROM reports r WHERE r.kind = 'error_rate' AND r.key = g.id::text
          AND NOT r.requested) AS "alertSent",
        l.state = 'closed' AND COALESCE(l.paused_until <= t.now, true) AS "laneOpen", t.now,
        (SELECT COALESCE(json_agg(json_build_object(
            'minute', extract(epoch FROM a.minute) * 1000, 'sent', a.sent) ORDER BY a.minute), '[]')
         FROM mailing_activity a
         WHERE a.mailing_id = g.id AND a.minute >= date_trunc('minute', t.now) - interval '1 minute') AS recent
      FROM mailings g
      JOIN mailing_counters k ON k.mailing_id = g.id
      JOIN lanes l ON l.id = g.lane_id
      CROSS JOIN (SELECT clock_timestamp() AS now OFFSET 0) t
      WHERE g.id = $1 AND g.deleted_at IS NULL`,
    values: [id],
  });
  const [row] = rows;
  if (!row) return null;
  const recent = row.recent.map(({ minute, sent }) => ({ minute: new Date(minute), sent }));
  return { ...row, recent };
}

/** How often attempts ended for one reason. */
export interface ErrorGroup {
  code: string;
  attempts: number;
  /** The provider's words, of the latest. */
  detail: string | null;
  lastAt: Date;
}

/** The most frequent reasons over all hours. */
export async function readErrors(db: Queryable, id: number, limit: number): Promise<ErrorGroup[]> {
  const { rows } = await db.query<ErrorGroup>({
    name: 'read-errors',
    text: `
      SELECT code, sum(attempts)::bigint AS attempts,
        (array_agg(detail ORDER BY last_at DESC))[1] AS detail, max(last_at) AS "lastAt"
      FROM mailing_errors WHERE mailing_id = $1
      GROUP BY code ORDER BY 2 DESC, code LIMIT $2`,
    values: [id, limit],
  });
  return rows;
}

/**
 * When the last zone that still waits for its hours opens; null when none does. One index probe per
 * zone with a slot in the future, latest first, until one has a message waiting.
 */
export async function readLatestOpening(db: Queryable, id: number): Promise<Date | null> {
  const { rows } = await db.query<{ opensAt: Date }>({
    name: 'read-latest-opening',
    text: `
      SELECT s.opens_at AS "opensAt" FROM mailing_slots s
      WHERE s.mailing_id = $1 AND s.opens_at > clock_timestamp() AND s.closes_at > s.opens_at
        AND EXISTS (
          SELECT FROM messages m
          WHERE m.mailing_id = $1 AND m.status = 'pending' AND m.zone_id = s.zone_id)
      ORDER BY s.opens_at DESC LIMIT 1`,
    values: [id],
  });
  return rows[0]?.opensAt ?? null;
}
