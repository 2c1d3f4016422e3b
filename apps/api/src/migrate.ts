import { createLogger, loadConfig, main } from '@app/platform';
import { createDataSource, migrate } from '@app/database';
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
  try {
    const done = await migrate(dataSource, () => migrateQueue(config.QUEUE_URL ?? url));
    logger.info(done, 'migrated');
  } finally {
    await dataSource.destroy();
  }
});
