import { bookMovesLast, bookNumber } from '../books/book-moves.js';
import { GATE } from '../locks.js';
import type { Repeatable } from './repeatable.js';

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
export const CLAIM_MESSAGES: Repeatable = {
  name: 'claim-messages',
  functions: ['claim_messages'],
  sql: `
CREATE OR REPLACE FUNCTION claim_messages(
  p_lane int, p_claim bigint, p_ids bigint[], p_lease_ms int, p_margin_ms int, p_probe bigint)
RETURNS TABLE (
  id bigint, mailing_id bigint, attempt int, tries int, address text, content_version int,
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
      CASE WHEN m.unconfirmed THEN m.content_version ELSE g.content_version END AS version,
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
    ), ${bookMovesLast({
      rows: 'dropped',
      from: 'pending',
      to: { column: 'status', oneOf: ['cancelled', 'unknown'] },
      of: 'locked',
    })};
  END IF;

  IF cardinality(v_mailings) = 1 THEN
    ${bookNumber('COALESCE(cardinality(v_places), 0)', {
      of: 'v_mailings[1]',
      from: 'pending',
      to: 'sending',
    })};
  ELSE
    WITH taken AS (SELECT o.id AS mailing_id FROM unnest(v_owners) AS o (id)),
    ${bookMovesLast({ rows: 'taken', from: 'pending', to: 'sending', of: 'locked' })};
  END IF;

  -- By the place of the row and not by its id, which saves a look into the index: the rows are locked
  -- and this statement's snapshot is newer than the lock, so there they are.
  RETURN QUERY
  UPDATE messages m SET
    status = 'sending', attempts = m.attempts + 1, claim_id = p_claim, content_version = t.version,
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
`,
};
