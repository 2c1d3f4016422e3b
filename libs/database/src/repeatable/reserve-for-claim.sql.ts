import type { Repeatable } from './repeatable.js';

/**
 * With a rate on the lane or on the mailing every message gets its own moment, and nothing is
 * reserved further ahead than half a second: what is not granted now stays pending and is told when
 * its turn would come. Five per cent of slack take up the jitter between the reserved moment and the
 * provider's socket. What is claimed a little late costs nothing of the rate; nothing else is saved
 * up, and what was reserved at a slower rate that is no longer set is not waited for. The mailings of
 * a lane take turns, each in the order in which its jobs came. A message that its mailing's rate holds
 * back takes no moment of the lane that others could use: its own may be a little later than the
 * lane's, else it is not granted now. All times are seconds from now.
 */
export const RESERVE_FOR_CLAIM: Repeatable = {
  name: 'reserve-for-claim',
  functions: ['reserve_for_claim'],
  sql: `
CREATE OR REPLACE FUNCTION reserve_for_claim(
  p_lane int, p_ids bigint[], p_owners bigint[], p_order bigint[], p_now timestamptz,
  OUT ids bigint[], OUT send_at timestamptz[], OUT later_ids bigint[], OUT later_ms double precision[])
LANGUAGE plpgsql AS $$
DECLARE
  c_slack CONSTANT double precision := 1.05;
  c_horizon CONSTANT double precision := 0.5;
  c_lane_late CONSTANT double precision := 0.04;
  c_mailing_late CONSTANT double precision := 0.1;
  c_behind_lane CONSTANT double precision := 0.08;
  v_step double precision;
  v_free double precision;
BEGIN
  SELECT r.step, CASE WHEN r.free >= -c_lane_late THEN LEAST(r.free, c_horizon + r.step) ELSE 0 END
  INTO v_step, v_free FROM (
    SELECT c_slack / rate_per_second AS step, extract(epoch FROM next_send_at - p_now)::double precision AS free
    FROM lanes WHERE id = p_lane AND rate_per_second IS NOT NULL FOR UPDATE
  ) r;

  WITH owner AS MATERIALIZED (
    SELECT r.mailing_id, r.step, CASE WHEN r.free >= GREATEST(v_free, 0) - c_mailing_late
      THEN LEAST(r.free, c_horizon + r.step) ELSE GREATEST(v_free, 0) END AS free
    FROM (
      SELECT k.mailing_id, c_slack / g.rate_per_second AS step, CASE WHEN g.rate_per_second IS NOT NULL
        THEN extract(epoch FROM k.next_send_at - p_now)::double precision END AS free
      FROM mailing_counters k JOIN mailings g ON g.id = k.mailing_id
      WHERE k.mailing_id IN (SELECT unnest(p_owners))
    ) r
  ), asked AS (
    SELECT m.id, m.mailing_id, o.nth, row_number() OVER (PARTITION BY m.mailing_id ORDER BY o.nth) - 1 AS before
    FROM unnest(p_ids, p_owners) AS m (id, mailing_id)
    JOIN (SELECT o.id, min(o.nth) AS nth FROM unnest(p_order) WITH ORDINALITY AS o (id, nth) GROUP BY o.id) o
      ON o.id = m.id
  ), turn AS (
    SELECT a.id, a.mailing_id, w.step, w.free + a.before * COALESCE(w.step, 0) AS own,
      row_number() OVER (ORDER BY a.before, a.nth) - 1 AS nth
    FROM asked a JOIN owner w ON w.mailing_id = a.mailing_id
  ), place AS (
    SELECT t.id, t.mailing_id, t.step, t.own, v_free + v_step * (row_number() OVER (
      ORDER BY GREATEST(t.own - c_behind_lane, v_free + t.nth * v_step), t.nth) - 1) AS lane
    FROM turn t
  ), moment AS MATERIALIZED (
    SELECT p.id, p.mailing_id, p.step, p.own, p.ready, GREATEST(p.own, CASE WHEN p.ready
      THEN v_free + v_step * (row_number() OVER (PARTITION BY p.ready ORDER BY p.lane) - 1) ELSE p.lane END) AS at
    FROM (SELECT *, COALESCE(own <= lane + c_behind_lane, true) AS ready FROM place) p
  ), granted AS MATERIALIZED (
    SELECT * FROM moment m WHERE m.ready AND m.at <= c_horizon
  ), of_mailing AS (
    UPDATE mailing_counters k SET next_send_at = p_now + make_interval(secs => g.next)
    FROM (
      SELECT m.mailing_id, max(m.own + m.step) AS next FROM granted m
      WHERE m.step IS NOT NULL GROUP BY m.mailing_id
    ) g WHERE k.mailing_id = g.mailing_id
  ), of_lane AS (
    UPDATE lanes l SET next_send_at = p_now + make_interval(secs => v_free + v_step * g.count)
    FROM (SELECT count(*) FROM granted) g WHERE l.id = p_lane AND v_step IS NOT NULL AND g.count > 0
  )
  SELECT array_agg(m.id) FILTER (WHERE m.ready AND m.at <= c_horizon),
    array_agg(p_now + make_interval(secs => m.at)) FILTER (WHERE m.ready AND m.at <= c_horizon),
    array_agg(m.id) FILTER (WHERE NOT m.ready OR m.at > c_horizon),
    array_agg(m.at * 1000) FILTER (WHERE NOT m.ready OR m.at > c_horizon)
  INTO ids, send_at, later_ids, later_ms FROM moment m;
END $$;
`,
};
