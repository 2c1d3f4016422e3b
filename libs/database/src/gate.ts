import { GATE } from './locks.js';
import type { Queryable } from './queryable.js';

/**
 * Waits until every claim that began before this call has ended. Called after the commit of a
 * control route: from its answer on no claim that saw the old state is running. `db` must not be in a
 * transaction, for the lock is held to the end of it.
 */
export async function passGate(db: Queryable): Promise<void> {
  await db.query({ name: 'pass-gate', text: `SELECT pg_advisory_xact_lock(${GATE})` });
}
