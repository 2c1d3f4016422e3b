import type { Queryable } from '@app/database';
import type { LaneToken } from '@app/lanes';
import type { ReasonCount } from '../content.js';

/** Since when there are reports at all. */
export async function readReportStart(db: Queryable): Promise<Date | null> {
  const { rows } = await db.query<{ since: Date }>({
    name: 'read-report-start',
    text: 'SELECT since FROM report_start',
  });
  return rows[0]?.since ?? null;
}

/**
 * One report for every mailing that has finished since its last one, all of it in one statement: a
 * mailing is marked if and only if its report is there. Reopened mailings finish again.
 */
export async function addCompletionReports(db: Queryable, now: Date): Promise<number> {
  const { rows } = await db.query<{ added: number }>({
    name: 'add-completion-reports',
    text: `
      WITH done AS (
        UPDATE mailings SET reported_at = finished_at
        WHERE id IN (
          SELECT id FROM mailings
          WHERE finished_at IS NOT NULL AND finished_at IS DISTINCT FROM reported_at
          ORDER BY id LIMIT 500 FOR UPDATE)
        RETURNING id, finished_at, report_enabled AND deleted_at IS NULL AS wanted
      ), added AS (
        INSERT INTO reports (kind, key, transport, mailing_id, message_id, not_before, give_up_at)
        SELECT 'completion', id || '@' || floor(extract(epoch FROM finished_at) * 1000), 'email', id,
          gen_random_uuid(), $1::timestamptz, $1::timestamptz + interval '24 hours'
        FROM done WHERE wanted
        ON CONFLICT (kind, key, transport) WHERE NOT requested DO NOTHING
        RETURNING id
      )
      SELECT count(*) AS added FROM added`,
    values: [now],
  });
  return rows[0]?.added ?? 0;
}

export interface ErrorRate {
  id: number;
  name: string;
  attempts: number;
  bad: number;
  reasons: ReasonCount[];
}

/**
 * Mailings with a share of bad attempts above `threshold` in the last `minutes`, if they made at
 * least `leastAttempts`, and for which there is no alert yet. By minute buckets that began in that
 * time; reasons are those of this hour and the one before.
 */
export async function findErrorRates(
  db: Queryable,
  now: Date,
  {
    minutes,
    threshold,
    leastAttempts,
  }: {
    minutes: number;
    threshold: number;
    leastAttempts: number;
  },
): Promise<ErrorRate[]> {
  const { rows } = await db.query<ErrorRate>({
    name: 'find-error-rates',
    text: `
      WITH recent AS (
        SELECT mailing_id, sum(sent + bad_attempts)::bigint AS attempts, sum(bad_attempts)::bigint AS bad
        FROM mailing_activity
        WHERE minute > $1::timestamptz - make_interval(mins => $2) AND minute <= $1
        GROUP BY mailing_id
        HAVING sum(sent + bad_attempts) >= $4 AND sum(bad_attempts) > $3::float8 * sum(sent + bad_attempts)
      )
      SELECT g.id, g.name, r.attempts, r.bad, (
        SELECT COALESCE(json_agg(e ORDER BY e.attempts DESC, e.code), '[]') FROM (
          SELECT code, sum(attempts) AS attempts, (array_agg(detail ORDER BY last_at DESC))[1] AS detail
          FROM mailing_errors WHERE mailing_id = g.id AND hour > $1::timestamptz - interval '2 hours'
          GROUP BY code ORDER BY 2 DESC LIMIT 5) e) AS reasons
      FROM recent r JOIN mailings g ON g.id = r.mailing_id AND g.deleted_at IS NULL
      WHERE NOT EXISTS (SELECT FROM reports a
        WHERE a.kind = 'error_rate' AND a.key = g.id::text AND NOT a.requested)
      ORDER BY g.id LIMIT 100`,
    values: [now, minutes, threshold, leastAttempts],
  });
  return rows;
}

export interface OpenBreaker {
  id: number;
  channel: string;
  /** The code. */
  reason: string | null;
  /** The provider's words about it. */
  detail: string | null;
  openedAt: Date;
  /** No probe will be sent. */
  byHand: boolean;
}

/** Breakers that have been open for that long and for whose opening there is no alert yet. */
export async function findLongOpenBreakers(
  db: Queryable,
  now: Date,
  minutes: number,
): Promise<OpenBreaker[]> {
  const { rows } = await db.query<OpenBreaker>({
    name: 'find-long-open-breakers',
    text: `
      SELECT l.id, l.name AS channel, l.reason, l.reason_detail AS detail, l.opened_at AS "openedAt",
        l.state = 'open' AND l.probe_at IS NULL AS "byHand"
      FROM lanes l
      WHERE l.state <> 'closed' AND l.opened_at <= $1::timestamptz - make_interval(mins => $2)
        AND NOT EXISTS (SELECT FROM reports a WHERE a.kind = 'breaker_open' AND NOT a.requested
          AND a.key = l.id || '@' || floor(extract(epoch FROM l.opened_at) * 1000))
      ORDER BY l.id`,
    values: [now, minutes],
  });
  return rows;
}

export interface ClosedBreaker {
  /** That of the alert about the opening. */
  key: string;
  channel: string;
  openedAt: Date;
  /** When it closed or, if it has opened again since, when that was noticed. */
  closedAt: Date;
}

/** Alerts about openings that are looked at for their end: the newest, for there are more every year. */
const MOST_OPENINGS = 2_000;

/** Openings with an alert that are over, and whose end has none. */
export async function findClosedBreakers(db: Queryable, now: Date): Promise<ClosedBreaker[]> {
  const { rows } = await db.query<ClosedBreaker>({
    name: 'find-closed-breakers',
    text: `
      SELECT DISTINCT o.key, l.name AS channel, (o.content ->> 'openedAt')::timestamptz AS "openedAt",
        CASE WHEN l.state = 'closed' THEN LEAST(l.updated_at, $1) ELSE $1 END AS "closedAt"
      FROM (SELECT key, content FROM reports WHERE kind = 'breaker_open' AND NOT requested
        ORDER BY id DESC LIMIT $2) o
      JOIN lanes l ON l.id = split_part(o.key, '@', 1)::int
      WHERE (l.state = 'closed' OR o.key <> l.id || '@' || floor(extract(epoch FROM l.opened_at) * 1000))
        AND NOT EXISTS (SELECT FROM reports c
          WHERE c.kind = 'breaker_closed' AND c.key = o.key AND NOT c.requested)`,
    values: [now, MOST_OPENINGS],
  });
  return rows;
}

export interface NamedLaneToken extends LaneToken {
  name: string;
  /** Whether there is an alert of that day already. */
  alerted: boolean;
}

/** The tokens of all lanes. `day` is `YYYY-MM-DD`. */
export async function readLaneTokens(db: Queryable, day: string): Promise<NamedLaneToken[]> {
  const { rows } = await db.query<NamedLaneToken>({
    name: 'read-lane-tokens',
    text: `
      SELECT l.id, l.name, l.channel, l.token_encrypted AS "tokenEncrypted",
        EXISTS (SELECT FROM reports a WHERE a.kind = 'token_expiry' AND a.key = l.id || '@' || $1
          AND NOT a.requested) AS alerted
      FROM lanes l ORDER BY l.id`,
    values: [day],
  });
  return rows;
}
