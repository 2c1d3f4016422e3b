import type { Trial } from './trial.js';

/** Sessions of an application that wait for a lock with such a statement. */
export async function waitingFor(
  trial: Trial,
  applicationName: string,
  statement: string,
): Promise<number> {
  const waiting = await trial.sql(
    `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
       AND application_name = $1 AND query LIKE $2`,
    applicationName,
    statement,
  );
  return waiting.length;
}

/** A session whose client was killed goes on with its statement; this ends all of an application. */
export async function endSessionsOf(trial: Trial, applicationName: string): Promise<void> {
  await trial.sql(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = $1`,
    applicationName,
  );
}

/** The sessions that hold the lock of the leader: one, or none for a moment. */
export async function leaderSessions(trial: Trial): Promise<number[]> {
  const rows = await trial.sql<{ pid: number }>(
    `SELECT a.pid FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
     WHERE a.datname = current_database() AND a.application_name = 'posthorn-beat-leader'
       AND l.locktype = 'advisory' AND l.granted`,
  );
  return rows.map(({ pid }) => pid);
}

/** Ends the session that holds the lock of the leader, and waits until it has closed. */
export async function endLeaderSession(trial: Trial): Promise<void> {
  await trial.sql(
    'SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::int[]) pid',
    await leaderSessions(trial),
  );
}
