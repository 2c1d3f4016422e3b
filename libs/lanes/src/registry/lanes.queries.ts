import type { Queryable } from '@app/database';

/** A lane as its workers see it. */
export interface LaneRow {
  id: number;
  name: string;
  channel: string;
  /** The token that was set over the API; null: none was. */
  tokenEncrypted: Buffer | null;
}

/** Every lane there is: as many as channels and bots. */
export async function listLanes(db: Queryable): Promise<LaneRow[]> {
  const { rows } = await db.query<LaneRow>({
    name: 'list-lanes',
    text: `SELECT id, name, channel, token_encrypted AS "tokenEncrypted" FROM lanes ORDER BY id`,
  });
  return rows;
}

/**
 * What a starting worker stores about a lane: the configured rate (messages per second; null leaves what
 * was set over the API), which counts from the next claim on. A breaker that opened by itself is probed
 * soon: the restart may have repaired what was wrong.
 */
export async function configureLane(
  db: Queryable,
  id: number,
  ratePerSecond: number | null,
): Promise<void> {
  await db.query({
    name: 'configure-lane',
    text: `
      UPDATE lanes SET rate_per_second = COALESCE($2, rate_per_second), updated_at = clock_timestamp(),
        probe_at = LEAST(probe_at, clock_timestamp() + interval '1 s')
      WHERE id = $1 AND (rate_per_second IS DISTINCT FROM COALESCE($2, rate_per_second) OR state = 'open')`,
    values: [id, ratePerSecond],
  });
}

/** The token that was set over the API, encrypted; null: none was, or the lane does not exist. */
export async function readLaneToken(db: Queryable, id: number): Promise<Buffer | null> {
  const { rows } = await db.query<{ token: Buffer | null }>({
    name: 'read-lane-token',
    text: `SELECT token_encrypted AS token FROM lanes WHERE id = $1`,
    values: [id],
  });
  return rows[0]?.token ?? null;
}
