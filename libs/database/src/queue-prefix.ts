import type { Queryable } from './queryable.js';

/**
 * What the keys of this installation's queue begin with, so that several can share a Redis. It is data
 * and goes where the data goes: after a failover, a restored dump or a move to another server the
 * workers that run still look where beat feeds. A copy that is to live beside its original needs a new
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
