import { connectionOptions, type PoolSettings } from '@app/database';
import { type Logger, messageOf } from '@app/platform';
import pg from 'pg';

/**
 * Connections beside the leader's session, for what is only read: the server lets them write nothing.
 */
export function readPool(
  url: string,
  applicationName: string,
  logger: Logger,
  { size = 2, ...session }: PoolSettings = {},
): pg.Pool {
  const pool = new pg.Pool({
    ...connectionOptions(url, applicationName, { ...session, readOnly: true, ownSession: true }),
    max: size,
  });
  pool.on('error', (error) => {
    logger.warn({ connection: applicationName, error: messageOf(error) }, 'a connection is lost');
  });
  return pool;
}
