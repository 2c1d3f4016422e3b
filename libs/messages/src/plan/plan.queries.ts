import { compileAudience } from '@app/audience';
import {
  type AudienceFilter,
  bookMoves,
  type MailingStatus,
  type Queryable,
  type Statement,
} from '@app/database';
import type { Piece } from '../pieces/piece-size.js';

export interface UnplannedMailing {
  id: number;
  status: MailingStatus;
  filter: AudienceFilter;
  planCursor: number;
  /** Null: cancelled before it began. */
  planMaxClientId: number | null;
}

export interface PlannedChunk {
  /** Clients looked at; fewer than the limit: these were the last. */
  rows: number;
  /** In the database, ms. */
  tookMs: number;
  lastClientId: number | null;
  inserted: number;
  /** Matching clients left out because their zone has no slot row yet: compute it and run again. */
  withoutSlot: number;
}

/**
 * Stores a row for each matching client of the next piece of the audience; running it again does no
 * harm. One statement and no long snapshot: a transaction that froze the zones would collide with
 * the counters, which the workers change all the time.
 *
 * The rows are stored by zone, in the order in which they are going to be sent and closed: with eight
 * zones mixed on every page, an end would close 78,000 rows/s instead of 110,000.
 *
 * @param withoutHours zones whose slots cannot be computed: their clients wait, they are not left out.
 */
export async function planChunk(
  db: Queryable,
  mailing: UnplannedMailing,
  { limit, timeoutMs }: Piece,
  withoutHours: number[] = [],
): Promise<PlannedChunk> {
  const { rows } = await db.query<PlannedChunk>({
    ...planStatement(mailing, limit, withoutHours),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const [chunk] = rows;
  if (!chunk) throw new Error('planning answered without a row');
  return chunk;
}

const BOOK_PLANNED = bookMoves({
  rows: 'inserted',
  from: null,
  to: { column: 'status', oneOf: ['pending', 'expired', 'cancelled'] },
  of: { one: '$1' },
});

function planStatement(
  { id, filter, planCursor, planMaxClientId }: UnplannedMailing,
  limit: number,
  withoutHours: number[],
): Statement {
  const values: unknown[] = [id, planCursor, planMaxClientId, limit, withoutHours];
  const audience = compileAudience(filter, (value) => `$${values.push(value)}`, {
    // Read by the statement itself: a tag that is renamed meanwhile has its new name in the filter, too.
    tags: `ARRAY(SELECT jsonb_array_elements_text(filter -> 'tags') FROM mailings WHERE id = $1)`,
  });
  const piece = { after: '$2::bigint', upTo: '$3::bigint', limit: '$4::int' };
  return {
    text: `
WITH candidates AS MATERIALIZED (${audience.candidates(piece)}),
matching AS MATERIALIZED (
  SELECT c.id, c.zone_id FROM candidates JOIN clients c ON c.id = candidates.id
  WHERE ${audience.condition}
), placed AS (
  SELECT c.id, c.zone_id, CASE
      WHEN g.status = 'cancelled' THEN 'cancelled'
      WHEN g.status = 'completed' OR s.closes_at = '-infinity' THEN 'expired'
      ELSE 'pending'
    END::message_status AS status,
    g.status NOT IN ('cancelled', 'completed') AND s.zone_id IS NULL
      AND c.zone_id <> ALL ($5::int[]) AS without_slot
  FROM matching c JOIN mailings g ON g.id = $1 AND g.deleted_at IS NULL
  LEFT JOIN mailing_slots s ON s.mailing_id = $1 AND s.zone_id = c.zone_id
), inserted AS (
  INSERT INTO messages (mailing_id, client_id, zone_id, status, last_error_code, last_error)
  SELECT $1, id, zone_id, status,
    CASE status WHEN 'expired' THEN 'no_slot' WHEN 'cancelled' THEN 'mailing_cancelled' END,
    CASE status WHEN 'expired' THEN 'There is no allowed time in the client''s timezone before the end'
      WHEN 'cancelled' THEN 'The mailing was cancelled before sending' END
  FROM placed WHERE NOT without_slot ORDER BY zone_id, id
  ON CONFLICT (mailing_id, client_id) DO NOTHING
  RETURNING status
), ${BOOK_PLANNED}
SELECT (SELECT count(*) FROM candidates) AS rows, (SELECT max(id) FROM candidates) AS "lastClientId",
  (SELECT count(*) FROM inserted) AS inserted, (SELECT count(*) FROM placed WHERE without_slot) AS "withoutSlot",
  extract(epoch FROM clock_timestamp() - statement_timestamp())::float8 * 1000 AS "tookMs"`,
    values,
  };
}

/** The total is final from here on. */
export async function markPlanned(db: Queryable, mailingId: number): Promise<void> {
  await db.query({
    name: 'mark-planned',
    text: `UPDATE mailing_counters SET planned = true WHERE mailing_id = $1`,
    values: [mailingId],
  });
}
