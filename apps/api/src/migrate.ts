import { createLogger, loadConfig, main } from '@app/platform';
import { createDataSource, MIGRATION_LOCK } from '@app/database';
import { migrateQueue } from '@app/queue';

/** A new index on a large table takes its time. */
const LONGEST_STEP_MS = 6 * 60 * 60 * 1_000;

/** `npm run migrate`: brings the schema, and the queue's own tables where it has any, up to date. */
main(async () => {
  const config = loadConfig(['DATABASE_URL', 'DATABASE_DIRECT_URL', 'QUEUE_URL', 'LOG_LEVEL']);
  const logger = createLogger('migrate', config.LOG_LEVEL);
  const url = config.DATABASE_DIRECT_URL ?? config.DATABASE_URL;
  const dataSource = await createDataSource(url, 'migrate', {
    statementTimeoutMs: LONGEST_STEP_MS,
    idleInTransactionMs: 0,
    ownSession: true,
  }).initialize();
  const session = dataSource.createQueryRunner();
  try {
    await session.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    const done = await dataSource.runMigrations();
    await migrateQueue(config.QUEUE_URL ?? url);
    logger.info({ migrations: done.map((migration) => migration.name) }, 'migrated');
  } finally {
    await session.release();
    await dataSource.destroy();
  }
});
