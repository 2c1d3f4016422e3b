import type { DataSource } from 'typeorm';
import { MIGRATION_LOCK } from './locks.js';
import { REPEATABLES } from './repeatable/index.js';
import { applyChanged, createRecords } from './repeatable/repeatable.js';

export interface Migrated {
  migrations: string[];
  /** What was applied again, for its text had changed. */
  repeatables: string[];
}

/**
 * Brings the schema up to date: the migrations that it lacks, each in a transaction of its own, then
 * the repeatable SQL that has changed. Of several at once all but the first find nothing to do.
 *
 * @param dataSource with sessions of its own: no pooler in transaction mode
 * @param alsoLocked what else only one process may do at a time
 * @throws what the database throws; what was committed before stays
 */
export async function migrate(
  dataSource: DataSource,
  alsoLocked: () => Promise<void> = () => Promise.resolve(),
): Promise<Migrated> {
  const session = dataSource.createQueryRunner();
  try {
    await session.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    await createRecords(session);
    const migrations = await dataSource.runMigrations();
    const repeatables = await applyChanged(session, REPEATABLES);
    await alsoLocked();
    return { migrations: migrations.map(({ name }) => name), repeatables };
  } finally {
    // A lost session has released the lock.
    await session.query(`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`).catch(() => undefined);
    await session.release();
  }
}
