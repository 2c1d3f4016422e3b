import type { MigrationInterface, QueryRunner } from 'typeorm';
import { GATE } from '../locks.js';

/**
 * The claim is a function for one reason: each statement in it takes a new snapshot. A plain
 * statement takes its snapshot first and waits for the gate after that, so a claim that waited
 * while a pause committed would still see the mailing running.
 *
 * Arguments: the lane; a number that marks this claim; the message ids of the jobs, in the order in
 * which they came; the lease in ms; the least time that must be left, ms; the breaker's generation when
 * this is its probe, else null. A row without an attempt is not granted: a rate lets it go in
 * `send_in_ms`. What is not in the answer is not ours to send.
 *
 * Lock order: gate (shared), messages by id, counters by mailing, lane.
 */
export class ClaimFunction1700000000001 implements MigrationInterface {
  readonly name = 'ClaimFunction1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION claim_messages; DROP FUNCTION reserve_for_claim;');
  }
}

const UP = `
-- With a rate on the lane or on the mailing every message gets its own moment, and nothing is
-- reserved further ahead than half a second: what is not granted now stays pending and is told when
-- its turn would come. Five per cent of slack take up the jitter between the reserved moment and the
-- provider's socket. What is claimed a little late costs nothing of the rate; nothing else is saved
-- up, and what was reserved at a slower rate that is no longer set is not waited for. The mailings of
-- a lane take turns, each in the order in which its jobs came. A message that its mailing's rate holds
-- back takes no moment of the lane that others could use: its own may be a little later than the
-- lane's, else it is not granted now. All times are seconds from now.
CREATE FUNCTION reserve_for_claim(
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

CREATE FUNCTION claim_messages(
  p_lane int, p_claim bigint, p_ids bigint[], p_lease_ms int, p_margin_ms int, p_probe bigint)
RETURNS TABLE (
  id bigint, mailing_id bigint, attempt int, tries int, phone text, text_version int,
  unconfirmed boolean, ms_left double precision, send_in_ms double precision, generation bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz;
  v_lane lanes;
  v_take bigint[];
  v_places tid[];
  v_owners bigint[];
  v_phones text[];
  v_versions int[];
  v_ms_left double precision[];
  v_gone bigint[];
  v_mailings bigint[];
  v_send_at timestamptz[];
  v_rated boolean;
  v_granted bigint[];
  v_granted_at timestamptz[];
  v_later_ids bigint[];
  v_later_ms double precision[];
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${GATE});
  v_now := clock_timestamp();

  SELECT * INTO v_lane FROM lanes WHERE lanes.id = p_lane;
  IF NOT FOUND OR v_lane.paused_until > v_now THEN RETURN; END IF;
  IF p_probe IS NULL AND v_lane.state <> 'closed' THEN RETURN; END IF;
  IF p_probe IS NOT NULL AND (v_lane.state <> 'half_open' OR v_lane.generation <> p_probe) THEN RETURN; END IF;

  -- SKIP LOCKED: a row that somebody else holds is not ours; waiting for it would hold the gate.
  -- All that the answer needs is read here, once for each row; the subquery's order is the arrays'.
  -- Adding 0 keeps the planner from going through all waiting messages of the mailing to find these: its
  -- plan is made while the tables are empty, and kept, and took 60 ms for what takes 1 ms by id.
  SELECT
    array_agg(c.id) FILTER (WHERE NOT c.gone), array_agg(c.place) FILTER (WHERE NOT c.gone),
    array_agg(c.mailing_id) FILTER (WHERE NOT c.gone), array_agg(c.phone) FILTER (WHERE NOT c.gone),
    array_agg(c.version) FILTER (WHERE NOT c.gone), array_agg(c.ms_left) FILTER (WHERE NOT c.gone),
    array_agg(c.id) FILTER (WHERE c.gone), array_agg(DISTINCT c.mailing_id),
    v_lane.rate_per_second IS NOT NULL OR bool_or(c.rated)
  INTO v_take, v_places, v_owners, v_phones, v_versions, v_ms_left, v_gone, v_mailings, v_rated
  FROM (
    SELECT m.id, m.ctid AS place, m.mailing_id, g.rate_per_second IS NOT NULL AS rated,
      COALESCE(CASE WHEN m.unconfirmed THEN m.address END, cl.phone) AS phone, cl.id IS NULL AS gone,
      CASE WHEN m.unconfirmed THEN m.text_version ELSE g.text_version END AS version,
      extract(epoch FROM LEAST(s.closes_at, g.end_at) - v_now)::double precision * 1000 AS ms_left
    FROM messages m
    JOIN mailings g ON g.id = m.mailing_id + 0
    JOIN mailing_slots s ON s.mailing_id = m.mailing_id + 0 AND s.zone_id = m.zone_id
    LEFT JOIN clients cl ON cl.id = m.client_id
    WHERE m.id = ANY (p_ids)
      AND m.status = 'pending' AND m.not_before <= v_now
      AND g.status = 'running' AND g.deleted_at IS NULL AND g.lane_id = p_lane
      AND g.end_at > v_now + make_interval(secs => p_margin_ms / 1000.0)
      AND s.opens_at <= v_now AND s.closes_at > v_now + make_interval(secs => p_margin_ms / 1000.0)
    ORDER BY m.id
    LIMIT CASE WHEN p_probe IS NULL THEN NULL ELSE 1 END
    FOR UPDATE OF m SKIP LOCKED
  ) c;
  IF v_mailings IS NULL THEN RETURN; END IF;

  -- One counter needs no order to be locked in: it is locked by being changed.
  IF v_rated OR cardinality(v_mailings) > 1 THEN
    PERFORM 1 FROM mailing_counters k WHERE k.mailing_id = ANY (v_mailings) ORDER BY k.mailing_id FOR UPDATE;
  END IF;

  IF v_rated THEN
    SELECT r.ids, r.send_at, r.later_ids, r.later_ms
    INTO v_granted, v_granted_at, v_later_ids, v_later_ms
    FROM reserve_for_claim(p_lane, v_take, v_owners, p_ids, v_now) r;
    SELECT array_agg(c.place), array_agg(c.mailing_id), array_agg(c.phone), array_agg(c.version),
      array_agg(c.ms_left), array_agg(granted.send_at)
    INTO v_places, v_owners, v_phones, v_versions, v_ms_left, v_send_at
    FROM unnest(v_granted, v_granted_at) AS granted (id, send_at)
    JOIN unnest(v_take, v_places, v_owners, v_phones, v_versions, v_ms_left)
      AS c (id, place, mailing_id, phone, version, ms_left) ON c.id = granted.id;
  END IF;

  IF v_gone IS NOT NULL THEN
    WITH dropped AS (
      UPDATE messages m SET
        status = CASE WHEN m.unconfirmed THEN 'unknown' ELSE 'cancelled' END::message_status,
        address = NULL,
        last_error_code = 'client_deleted', last_error = 'The client was deleted before sending'
      WHERE m.id = ANY (v_gone)
      RETURNING m.mailing_id, m.status
    ), delta AS (
      SELECT d.mailing_id, count(*) AS n, count(*) FILTER (WHERE d.status = 'cancelled') AS cancelled
      FROM dropped d GROUP BY d.mailing_id
    )
    UPDATE mailing_counters k SET pending = k.pending - delta.n, cancelled = k.cancelled + delta.cancelled,
      unknown = k.unknown + delta.n - delta.cancelled
    FROM delta WHERE k.mailing_id = delta.mailing_id;
  END IF;

  IF cardinality(v_mailings) = 1 THEN
    UPDATE mailing_counters k SET
      pending = k.pending - COALESCE(cardinality(v_places), 0),
      sending = k.sending + COALESCE(cardinality(v_places), 0)
    WHERE k.mailing_id = v_mailings[1];
  ELSE
    UPDATE mailing_counters k SET pending = k.pending - delta.n, sending = k.sending + delta.n
    FROM (SELECT o.id, count(*) AS n FROM unnest(v_owners) AS o (id) GROUP BY o.id) delta
    WHERE k.mailing_id = delta.id;
  END IF;

  -- By the place of the row and not by its id, which saves a look into the index: the rows are locked
  -- and this statement's snapshot is newer than the lock, so there they are.
  RETURN QUERY
  UPDATE messages m SET
    status = 'sending', attempts = m.attempts + 1, claim_id = p_claim, text_version = t.version,
    address = t.phone,
    lease_until = GREATEST(v_now, COALESCE(t.send_at, v_now)) + make_interval(secs => p_lease_ms / 1000.0)
  FROM unnest(v_places, v_phones, v_versions, v_ms_left, v_send_at)
    AS t (place, phone, version, ms_left, send_at)
  WHERE m.ctid = t.place
  RETURNING m.id, m.mailing_id, m.attempts, m.tries, t.phone, t.version, m.unconfirmed, t.ms_left,
    COALESCE(GREATEST(0, extract(epoch FROM t.send_at - v_now)::double precision * 1000), 0),
    v_lane.generation;

  -- Ours to send, but not yet: no attempt, and how long until their turn would come.
  RETURN QUERY
  SELECT l.id, NULL::bigint, NULL::int, NULL::int, NULL::text, NULL::int, NULL::boolean,
    NULL::double precision, l.ms, NULL::bigint
  FROM unnest(v_later_ids, v_later_ms) AS l (id, ms);
END $$;
`;
