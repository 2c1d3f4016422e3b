/** Runs statements one after the other on one connection: a session of the database. */
interface Session {
  query(text: string, values?: unknown[]): Promise<unknown>;
}

/**
 * Mailings that have finished a week and more ago, one a minute, with all that stays of each: counters,
 * activity, a report. They had ten messages each, which are purged.
 */
export async function addFinishedMailings(session: Session, count: number): Promise<void> {
  await session.query('BEGIN');
  // They are in the books already: no trigger is to write about them now.
  await session.query('SET LOCAL session_replication_role = replica');
  await session.query(
    `INSERT INTO mailings (name, channel, lane_id, filter, start_at, end_at, status,
       plan_max_client_id, ended_at, finished_at, reported_at)
     SELECT 'finished ' || i, l.channel, l.id,
       '{"operatorCodes": [], "tags": [], "phones": []}', at.finished - interval '1 day',
       at.finished, CASE WHEN i % 20 = 0 THEN 'cancelled' ELSE 'completed' END::mailing_status,
       1, at.finished, at.finished, at.finished
     FROM generate_series(1, $1::int) i, (SELECT id, channel FROM lanes ORDER BY id LIMIT 1) l,
       LATERAL (SELECT now() - interval '8 days' - i * interval '1 min' AS finished) at`,
    [count],
  );
  await session.query(`
    INSERT INTO mailing_contents (mailing_id, version, content)
    SELECT id, 1, '{"text": "text"}' FROM mailings WHERE name LIKE 'finished %'`);
  await session.query(`
    INSERT INTO mailing_counters (mailing_id, total, sent, planned, in_totals)
    SELECT id, 10, 10, true, true FROM mailings WHERE name LIKE 'finished %'`);
  await session.query(
    `UPDATE mailing_totals SET mailings = $1::int, total = 10 * $1::int, sent = 10 * $1::int`,
    [count],
  );
  await session.query(`
    INSERT INTO mailing_activity (mailing_id, minute, sent)
    SELECT id, date_trunc('minute', finished_at), 10 FROM mailings WHERE name LIKE 'finished %'`);
  await session.query(`
    INSERT INTO reports (kind, key, transport, mailing_id, message_id, content, status, attempts,
      not_before, give_up_at, sent_at)
    SELECT 'completion', id || '@1', 'email', id, gen_random_uuid(), '{}', 'sent', 1, finished_at,
      finished_at, finished_at FROM mailings WHERE name LIKE 'finished %'`);
  await session.query('COMMIT');
  await session.query('ANALYZE');
}
