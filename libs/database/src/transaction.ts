import { poolOf } from './queryable.js';
import { DomainError } from '@app/platform';
import type pg from 'pg';
import type { DataSource } from 'typeorm';

/** The pool, or the error that says why there is none yet. */
export function databaseOf(dataSource: DataSource): pg.Pool {
  if (!dataSource.isInitialized) {
    throw new DomainError('unavailable', 'The database has not been reached yet');
  }
  return poolOf(dataSource);
}

/**
 * Runs `work` in one READ COMMITTED transaction on a session of its own: commits when it resolves,
 * rolls back when it rejects. Inside `work` only `session` may be used, or a full pool deadlocks.
 */
export async function inTransaction<Result>(
  dataSource: DataSource,
  work: (session: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const session = await databaseOf(dataSource).connect();
  let broken: Error | undefined;
  // A session that drops while it is ours says so by an event, which would end the process unheard.
  const onError = (failure: Error) => {
    broken = failure;
  };
  session.on('error', onError);
  try {
    await session.query('BEGIN');
    const result = await work(session);
    await session.query('COMMIT');
    return result;
  } catch (error) {
    await session.query('ROLLBACK').catch((failure: unknown) => {
      broken = failure instanceof Error ? failure : new Error(String(failure));
    });
    throw error;
  } finally {
    session.off('error', onError);
    // A session that cannot roll back is closed, never handed to the next request.
    session.release(broken);
  }
}
