import type { Queryable } from '@app/domain';

/**
 * Looks a lane up by name and sets its configured rate (messages per second, null: unlimited), which
 * counts from the next claim on. @throws when there is no such lane.
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
        UPDATE lanes SET rate_per_second = $2, updated_at = clock_timestamp()
        WHERE name = $1 AND rate_per_second IS DISTINCT FROM $2
      )
      SELECT id, name FROM lanes WHERE name = $1`,
    values: [name, ratePerSecond],
  });
  const [lane] = rows;
  if (!lane) throw new Error(`There is no lane "${name}": have the migrations run?`);
  return lane;
}
