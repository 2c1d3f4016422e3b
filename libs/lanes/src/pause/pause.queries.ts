import type { Queryable } from '@app/database';

/** The provider asked for a pause: the whole lane waits. */
export async function pauseLane(db: Queryable, laneId: number, ms: number): Promise<void> {
  await db.query({
    name: 'pause-lane',
    text: `
      UPDATE lanes SET paused_until = clock_timestamp() + make_interval(secs => $2 / 1000.0)
      WHERE id = $1 AND COALESCE(paused_until, '-infinity') < clock_timestamp() + make_interval(secs => $2 / 1000.0)`,
    values: [laneId, ms],
  });
}
