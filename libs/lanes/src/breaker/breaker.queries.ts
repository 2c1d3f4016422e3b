import type { Queryable } from '@app/database';

/** First wait for a probe and its growth; docs/decisions/0021 says why it starts short. */
const FIRST_PROBE_S = 10;
const PROBE_GROWTH = 1.5;
const LAST_PROBE_S = 300;

/** Why a breaker opens: a code, and the provider's words. */
export interface BreakerReason {
  code: string;
  detail: string | null;
}

/** Opens the breaker for all workers. `generation` is that of the claim whose outcome tripped it. */
export async function tripBreakerIfClosed(
  db: Queryable,
  trip: { laneId: number; generation: number } & BreakerReason,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'trip-breaker-if-closed',
    text: `
      UPDATE lanes SET state = 'open', generation = generation + 1, reason = $3, reason_detail = $4, probes = 0,
        opened_at = clock_timestamp(), probe_at = clock_timestamp() + make_interval(secs => ${FIRST_PROBE_S}),
        updated_at = clock_timestamp()
      WHERE id = $1 AND state = 'closed' AND generation = $2`,
    values: [trip.laneId, trip.generation, trip.code, trip.detail],
  });
  return rowCount === 1;
}

/** The probe succeeded: all workers send again. */
export async function closeBreakerIfProbing(
  db: Queryable,
  probe: { laneId: number; generation: number },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'close-breaker-if-probing',
    text: `
      UPDATE lanes SET state = 'closed', generation = generation + 1, reason = NULL, reason_detail = NULL,
        probes = 0, opened_at = NULL, probe_at = NULL, updated_at = clock_timestamp()
      WHERE id = $1 AND state = 'half_open' AND generation = $2`,
    values: [probe.laneId, probe.generation],
  });
  return rowCount === 1;
}

/** The probe failed: the next one waits longer. */
export async function reopenBreakerIfProbing(
  db: Queryable,
  probe: { laneId: number; generation: number } & BreakerReason,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'reopen-breaker-if-probing',
    text: `
      UPDATE lanes SET state = 'open', generation = generation + 1, reason = $3, reason_detail = $4,
        probes = probes + 1,
        probe_at = clock_timestamp() + make_interval(
          secs => LEAST(${FIRST_PROBE_S} * power(${PROBE_GROWTH}, probes + 1), ${LAST_PROBE_S})),
        updated_at = clock_timestamp()
      WHERE id = $1 AND state = 'half_open' AND generation = $2`,
    values: [probe.laneId, probe.generation, probe.code, probe.detail],
  });
  return rowCount === 1;
}

/** Takes the one probe token that is due, if it is; answers with the generation that it carries. */
export async function takeProbeIfDue(db: Queryable, laneId: number): Promise<number | null> {
  const { rows } = await db.query<{ generation: number }>({
    name: 'take-probe-if-due',
    text: `
      UPDATE lanes SET state = 'half_open', generation = generation + 1,
        probe_at = clock_timestamp() + interval '30 s', updated_at = clock_timestamp()
      WHERE id = $1 AND probe_at <= clock_timestamp()
        AND (state = 'open' OR state = 'half_open') /* half open and due again: that probe got lost */
      RETURNING generation`,
    values: [laneId],
  });
  return rows[0]?.generation ?? null;
}

/** Gives a probe token back that was used for no message. */
export async function returnProbe(
  db: Queryable,
  laneId: number,
  generation: number,
): Promise<void> {
  await db.query({
    name: 'return-probe',
    text: `UPDATE lanes SET state = 'open', probe_at = clock_timestamp() + interval '1 s'
      WHERE id = $1 AND state = 'half_open' AND generation = $2`,
    values: [laneId, generation],
  });
}
