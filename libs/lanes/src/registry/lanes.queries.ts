import type { Queryable } from '@app/database';

/**
 * What a starting worker says about its lane: the configured rate (messages per second; null leaves
 * what was set over the API), which counts from the next claim on. A breaker that opened by itself is
 * probed soon: whoever restarted the worker may have mended what was wrong.
 *
 * @throws when there is no such lane.
 */
export async function configureLane(
  db: Queryable,
  name: string,
  ratePerSecond: number | null,
): Promise<{ id: number; name: string }> {
  const { rows } = await db.query<{ id: number; name: string }>({
    name: 'configure-lane',
    text: `
      WITH changed AS (
        UPDATE lanes SET rate_per_second = COALESCE($2, rate_per_second), updated_at = clock_timestamp(),
          probe_at = LEAST(probe_at, clock_timestamp() + interval '1 s')
        WHERE name = $1 AND (rate_per_second IS DISTINCT FROM COALESCE($2, rate_per_second) OR state = 'open')
      )
      SELECT id, name FROM lanes WHERE name = $1`,
    values: [name, ratePerSecond],
  });
  const [lane] = rows;
  if (!lane) throw new Error(`There is no lane "${name}": have the migrations run?`);
  return lane;
}

/** The token that was set over the API, encrypted; null: none was. */
export async function readLaneToken(db: Queryable, name: string): Promise<Buffer | null> {
  const { rows } = await db.query<{ token: Buffer | null }>({
    name: 'read-lane-token',
    text: `SELECT token_encrypted AS token FROM lanes WHERE name = $1`,
    values: [name],
  });
  return rows[0]?.token ?? null;
}
