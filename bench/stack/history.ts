import pg from 'pg';
import { TEXT } from './api.js';

/** Mailings to every client of the directory, and many to a few, who are others for each. */
export interface HistorySize {
  large: number;
  small: number;
  smallAudience: number;
}

export interface History {
  /** Of all mailings. */
  messages: number;
  /** Ids of the mailings; the last of the large ones is paused, the others are completed. */
  large: number[];
  small: number[];
}

/**
 * Fills a database with mailings of the past, by SQL, as if they had been delivered: of 100 messages
 * 90 sent, 4 failed, 3 expired, 1 cancelled, 1 unknown, and 1 still pending where the mailing is paused.
 */
export async function addHistory(databaseUrl: string, size: HistorySize): Promise<History> {
  const db = new pg.Client({ connectionString: databaseUrl });
  await db.connect();
  try {
    const ids = await addMailings(db, size.large + size.small);
    const large = ids.slice(0, size.large);
    const small = ids.slice(size.large);
    for (const id of large) await addMessages(db, [id], null);
    // As if each had been planned by itself.
    await db.query('ALTER TABLE messages DISABLE TRIGGER messages_note_client_mailings');
    await addMessages(db, small, size.smallAudience);
    await db.query('ALTER TABLE messages ENABLE TRIGGER messages_note_client_mailings');
    await db.query(
      `INSERT INTO client_mailings (key, mailing_id)
       SELECT client_id, mailing_id FROM messages WHERE mailing_id = ANY ($1::bigint[])`,
      [small],
    );
    await db.query(COUNTERS);
    await db.query(TOTALS);
    await db.query(REASONS);
    await db.query(ACTIVITY);
    await db.query(`UPDATE mailings SET status = 'paused', ended_at = NULL, finished_at = NULL
      WHERE id IN (SELECT mailing_id FROM mailing_counters WHERE pending > 0)`);
    await db.query('VACUUM ANALYZE');
    const { rows } = await db.query<{ messages: string }>(
      'SELECT sum(total) AS messages FROM mailing_counters',
    );
    return { messages: Number(rows[0]?.messages), large, small };
  } finally {
    await db.end();
  }
}

async function addMailings(db: pg.Client, count: number): Promise<number[]> {
  const { rows } = await db.query<{ id: string }>(
    `WITH made AS (INSERT INTO mailings (name, channel, lane_id, filter, start_at, end_at, status,
       plan_cursor, plan_max_client_id, ended_at, finished_at)
     SELECT 'history ' || i, l.channel, l.id,
       '{"operatorCodes": [], "tags": [], "phones": []}', now() - interval '2 days',
       now() + interval '1 day', 'completed', c.id, c.id, now(), now()
     FROM generate_series(1, $1::int) i, (SELECT id, channel FROM lanes ORDER BY id LIMIT 1) l,
       (SELECT max(id) AS id FROM clients) c
     RETURNING id)
     INSERT INTO mailing_contents (mailing_id, version, content)
     SELECT id, 1, jsonb_build_object('text', $2::text) FROM made RETURNING mailing_id AS id`,
    [count, TEXT],
  );
  return rows.map(({ id }) => Number(id));
}

async function addMessages(db: pg.Client, mailings: number[], audience: number | null) {
  await db.query(
    `INSERT INTO messages (mailing_id, client_id, zone_id, status, not_before, attempts, tries,
       sent_at, latency_ms, content_version, last_error_code, last_error)
     SELECT mailing_id, client_id, zone_id, status,
       CASE WHEN status IN ('failed', 'unknown') THEN now() - interval '1 hour' * (client_id % 24)
         ELSE '-infinity' END,
       tried, tried, CASE WHEN status = 'sent' THEN now() - interval '1 s' * (client_id % 86400) END,
       CASE WHEN status = 'sent' THEN 5 + client_id % 90 END, CASE WHEN tried > 0 THEN 1 END,
       CASE status WHEN 'failed' THEN 'http_400' WHEN 'unknown' THEN 'timeout' END,
       CASE status WHEN 'failed' THEN 'The provider answered 400: unknown subscriber' END
     FROM (
       SELECT g AS mailing_id, c.id AS client_id, c.zone_id, s.status,
         (s.status IN ('sent', 'failed', 'unknown'))::int AS tried
       FROM unnest($1::bigint[]) g
       CROSS JOIN LATERAL (
         SELECT * FROM clients
         WHERE $3 OR id > (g * 7919) % (SELECT max(id) - $2::bigint FROM clients)
         ORDER BY id LIMIT $2::bigint) c
       CROSS JOIN LATERAL (SELECT (c.id * 7919 + g * 31) % 100 AS n) r
       CROSS JOIN LATERAL (SELECT (CASE
           WHEN n < 4 THEN 'failed' WHEN n < 7 THEN 'expired' WHEN n < 8 THEN 'cancelled'
           WHEN n < 9 THEN 'unknown' WHEN n < 10 AND $3 THEN 'pending' ELSE 'sent'
         END)::message_status AS status) s
     ) m`,
    [mailings, audience, audience === null],
  );
}

const COUNTERS = `
  INSERT INTO mailing_counters (mailing_id, total, pending, sent, failed, expired, cancelled, unknown, planned,
    in_totals)
  SELECT mailing_id, count(*), count(*) FILTER (WHERE status = 'pending'),
    count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'failed'),
    count(*) FILTER (WHERE status = 'expired'), count(*) FILTER (WHERE status = 'cancelled'),
    count(*) FILTER (WHERE status = 'unknown'), true,
    count(*) FILTER (WHERE status = 'pending') = 0
  FROM messages GROUP BY mailing_id`;

const TOTALS = `
  UPDATE mailing_totals SET (mailings, total, sent, failed, expired, cancelled, unknown) = (
    SELECT count(*), sum(total), sum(sent), sum(failed), sum(expired), sum(cancelled), sum(unknown)
    FROM mailing_counters WHERE in_totals)`;

/** Ten reasons in each of 24 hours, for a large mailing; a small one has three in one. */
const REASONS = `
  INSERT INTO mailing_errors (mailing_id, hour, code, attempts, detail, last_at)
  SELECT k.mailing_id, date_trunc('hour', now()) - interval '1 hour' * h, 'http_' || (400 + e),
    1 + k.mailing_id % 100, 'The provider said no', now()
  FROM mailing_counters k, generate_series(0, CASE WHEN k.total > 1000 THEN 23 ELSE 0 END) h,
    generate_series(0, CASE WHEN k.total > 1000 THEN 9 ELSE 2 END) e`;

/** The last two hours, minute by minute. */
const ACTIVITY = `
  INSERT INTO mailing_activity (mailing_id, minute, sent)
  SELECT g.id, date_trunc('minute', now()) - interval '1 minute' * m, 100
  FROM mailings g, generate_series(0, 119) m WHERE g.id % 50 = 0`;
