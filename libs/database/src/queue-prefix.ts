import type { Queryable } from './queryable.js';

/**
 * The prefix of this installation's queue keys, so that several can share a Redis. It is stored
 * in the database and moves with it: after a failover, a restored dump or a move to another server the
 * workers that run still look where beat feeds. A copy that is to run beside its original needs a new
 * row in `installation`.
 *
 * @throws when the database cannot be reached
 */
export async function readQueuePrefix(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ id: string }>({ text: 'SELECT id FROM installation' });
  const [row] = rows;
  if (!row) throw new Error('The table installation is empty: have the migrations run?');
  return `posthorn-${row.id}`;
}
