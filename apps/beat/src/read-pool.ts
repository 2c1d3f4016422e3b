import { connectionOptions, type PoolSettings } from '@app/domain';
import { type Logger, messageOf } from '@app/platform';
import pg from 'pg';

/**
 * Connections beside the leader's session, for what is only read: the server lets them write nothing.
 */
export function readPool(
  url: string,
  applicationName: string,
  logger: Logger,
  { avoidSequentialScans, statementTimeoutMs, size = 2 }: PoolSettings = {},
): pg.Pool {
  const scans = avoidSequentialScans ? ' -c enable_seqscan=off' : '';
  const pool = new pg.Pool({
    ...connectionOptions(url, applicationName, statementTimeoutMs),
    options: `-c default_transaction_read_only=on${scans}`,
    max: size,
  });
  pool.on('error', (error) => {
    logger.warn({ connection: applicationName, error: messageOf(error) }, 'a connection is lost');
  });
  return pool;
}
