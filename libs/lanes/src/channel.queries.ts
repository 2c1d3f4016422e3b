import { type Lane, type Queryable, WAKE_CHANNEL } from '@app/database';

/** A lane as its readers see it; the token itself never leaves the database. */
export type ChannelRecord = Pick<
  Lane,
  | 'id'
  | 'name'
  | 'channel'
  | 'state'
  | 'generation'
  | 'reason'
  | 'reasonDetail'
  | 'openedAt'
  | 'probeAt'
  | 'probes'
  | 'pausedUntil'
  | 'ratePerSecond'
  | 'tokenEncrypted'
  | 'queueTrouble'
  | 'updatedAt'
>;

const COLUMNS = `
  id, name, channel, state, generation, reason, reason_detail AS "reasonDetail",
  opened_at AS "openedAt", probe_at AS "probeAt", probes,
  CASE WHEN paused_until > clock_timestamp() THEN paused_until END AS "pausedUntil",
  rate_per_second AS "ratePerSecond", token_encrypted AS "tokenEncrypted", queue_trouble AS "queueTrouble",
  updated_at AS "updatedAt"`;

/** There are as many lanes as channels and bots: a list that needs no pages. */
export async function listChannels(db: Queryable): Promise<ChannelRecord[]> {
  const { rows } = await db.query<ChannelRecord>({
    name: 'list-channels',
    text: `SELECT ${COLUMNS} FROM lanes ORDER BY id`,
  });
  return rows;
}

/** Without a `probe_at` no probe is sent: a breaker opened by hand stays open until it is closed by hand. */
export function openBreaker(db: Queryable, name: string): Promise<ChannelRecord | null> {
  return change(
    db,
    'open-breaker',
    `state = 'open', generation = generation + 1, reason = 'opened_by_hand',
     reason_detail = NULL, probe_at = NULL, probes = 0, opened_at = CASE state WHEN 'closed' THEN clock_timestamp() ELSE opened_at END`,
    [name],
  );
}

export function closeBreaker(db: Queryable, name: string): Promise<ChannelRecord | null> {
  return change(
    db,
    'close-breaker',
    `state = 'closed', generation = generation + 1, reason = NULL, reason_detail = NULL,
     probe_at = NULL, probes = 0, opened_at = NULL`,
    [name],
  );
}

/** @param ratePerSecond null lifts the limit. */
export function setChannelRate(
  db: Queryable,
  name: string,
  ratePerSecond: number | null,
): Promise<ChannelRecord | null> {
  return change(db, 'set-channel-rate', 'rate_per_second = $2', [name, ratePerSecond]);
}

/**
 * Stores the provider's token. A breaker that opened by itself probes at once, so that the new token
 * is tried with one message before all workers send.
 */
export function setChannelToken(
  db: Queryable,
  name: string,
  tokenEncrypted: Buffer,
): Promise<ChannelRecord | null> {
  return change(
    db,
    'set-channel-token',
    `token_encrypted = $2, probes = 0, probe_at = CASE
       WHEN state = 'open' AND probe_at IS NOT NULL THEN clock_timestamp() ELSE probe_at END`,
    [name, tokenEncrypted],
  );
}

async function change(
  db: Queryable,
  statement: string,
  assignments: string,
  values: unknown[],
): Promise<ChannelRecord | null> {
  const { rows } = await db.query<ChannelRecord>({
    name: statement,
    text: `
      WITH changed AS (
        UPDATE lanes SET ${assignments}, updated_at = clock_timestamp() WHERE name = $1
        RETURNING ${COLUMNS}
      ), woken AS MATERIALIZED (SELECT pg_notify('${WAKE_CHANNEL}', '') FROM changed)
      SELECT changed.* FROM changed, woken`,
    values,
  });
  return rows[0] ?? null;
}
