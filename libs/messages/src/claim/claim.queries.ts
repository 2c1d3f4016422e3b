import type { ChannelPolicy } from '@app/channels';
import { intArray, type Queryable } from '@app/database';

/** A message that is ours until its lease ends. */
export interface ClaimedMessage {
  id: number;
  mailingId: number;
  attempt: number;
  /** Where it goes. Empty when the client has just been deleted. */
  address: string;
  contentVersion: number;
  unconfirmed: boolean;
  /** To the slot's close or the mailing's end, from the moment of the claim; may be `Infinity`-large. */
  msLeft: number;
  /** With a rate: not to be sent before, from the moment of the answer. */
  sendInMs: number;
  /** The breaker's generation at the claim. */
  generation: number;
}

const COLUMNS = `id, mailing_id AS "mailingId", attempt, address, content_version AS "contentVersion",
  unconfirmed, ms_left AS "msLeft", send_in_ms AS "sendInMs", generation`;

/** A rate holds this message back for so long, ms. */
export interface LaterMessage {
  id: number;
  sendInMs: number;
}

export interface ClaimRequest {
  laneId: number;
  /** Marks what this claim takes; see `rereadClaim`. */
  claimId: number;
  ids: number[];
  /** The breaker's generation when this is its probe. */
  probe?: number;
  policy: Pick<ChannelPolicy, 'leaseMs' | 'marginMs'>;
}

export interface ClaimAnswer {
  claimed: ClaimedMessage[];
  later: LaterMessage[];
}

/**
 * Takes those of the given messages that may be sent right now, by the database's clock; see the
 * function (libs/database/src/repeatable) for the guards. What is not in the answer is not ours.
 */
export async function claimDuePending(db: Queryable, claim: ClaimRequest): Promise<ClaimAnswer> {
  const { rows } = await db.query<ClaimedMessage | (LaterMessage & { attempt: null })>({
    name: 'claim-due-pending',
    text: `SELECT ${COLUMNS} FROM claim_messages($1, $2, $3::bigint[], $4, $5, $6)`,
    values: [
      claim.laneId,
      claim.claimId,
      intArray(claim.ids),
      claim.policy.leaseMs,
      claim.policy.marginMs,
      claim.probe ?? null,
    ],
  });
  const claimed: ClaimedMessage[] = [];
  const later: LaterMessage[] = [];
  for (const row of rows) {
    if (row.attempt === null) later.push(row);
    else claimed.push(row);
  }
  return { claimed, later };
}

/** What a claim took whose answer got lost. */
export async function rereadClaim(
  db: Queryable,
  claim: { claimId: number; ids: number[] },
): Promise<ClaimedMessage[]> {
  const { rows } = await db.query<ClaimedMessage>({
    name: 'reread-claim',
    text: `
      SELECT m.id, m.mailing_id AS "mailingId", m.attempts AS attempt,
        COALESCE(m.address, '') AS address, m.content_version AS "contentVersion", m.unconfirmed,
        /* Servers before 17 subtract no infinity; the clock advances between two reads of it. */
        GREATEST(0, COALESCE(extract(epoch FROM
          GREATEST(LEAST(s.closes_at, g.end_at), clock_timestamp()) - clock_timestamp())::float8 * 1000, 0))
          AS "msLeft",
        0::float8 AS "sendInMs", l.generation
      FROM messages m
      JOIN mailings g ON g.id = m.mailing_id
      JOIN lanes l ON l.id = g.lane_id
      LEFT JOIN mailing_slots s ON s.mailing_id = m.mailing_id AND s.zone_id = m.zone_id
      WHERE m.id = ANY ($2::bigint[]) AND m.claim_id = $1 AND m.status = 'sending'`,
    values: [claim.claimId, claim.ids],
  });
  return rows;
}

/** One version of a mailing's content. */
export interface StoredContent {
  mailingId: number;
  version: number;
  /** By the schema of the mailing's channel. */
  content: unknown;
}

/** The contents of the given (mailing, version) pairs, in one statement; a purged mailing's are missing. */
export async function readContents(
  db: Queryable,
  keys: { mailingId: number; version: number }[],
): Promise<StoredContent[]> {
  const { rows } = await db.query<StoredContent>({
    name: 'read-contents',
    text: `
      SELECT mailing_id AS "mailingId", version, content FROM mailing_contents
      WHERE (mailing_id, version) IN (SELECT * FROM unnest($1::bigint[], $2::int[]))`,
    values: [keys.map((key) => key.mailingId), keys.map((key) => key.version)],
  });
  return rows;
}
