import type { Queryable } from './queryable.js';

/** The database's clock, which decides leases, ends and windows; also within a transaction. */
export async function readClock(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ now: Date }>({
    name: 'read-clock',
    text: 'SELECT clock_timestamp() AS now',
  });
  const [row] = rows;
  if (!row) throw new Error('The database did not tell the time');
  return row.now;
}
