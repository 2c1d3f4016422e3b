import type pg from 'pg';

/** What `Database.transaction` does, on one session of `pool`. */
export async function inTransaction<Result>(
  pool: pg.Pool,
  work: (session: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const session = await pool.connect();
  let lost: Error | undefined;
  // A session that drops while it is ours tells by an event, which without a listener ends the process.
  const onError = (failure: Error) => {
    lost = failure;
  };
  session.on('error', onError);
  try {
    await session.query('BEGIN');
    const result = await work(session);
    await session.query('COMMIT');
    return result;
  } catch (error) {
    await session.query('ROLLBACK').catch((failure: unknown) => {
      lost = failure instanceof Error ? failure : new Error(String(failure));
    });
    throw error;
  } finally {
    session.off('error', onError);
    // A session that cannot roll back is closed, never handed to the next request.
    session.release(lost);
  }
}
