import { type AudienceFilter, type MailingStatus, type MessageStatus, poolOf } from '@app/database';
import type { DataSource } from 'typeorm';

export interface ClientSeed {
  phone?: string;
  operatorCode?: string;
  timezone?: string;
  tags?: string[];
}

export interface MailingSeed {
  name?: string;
  /** Default `running`; a `scheduled` one is not planned yet. */
  status?: MailingStatus;
  /** Minutes from now. */
  startsIn?: number;
  endsIn?: number;
  filter?: Partial<AudienceFilter>;
  ratePerSecond?: number;
  maxTries?: number;
  window?: { from: string; to: string; timezone: string };
}

export interface MessageSeed {
  status: MessageStatus;
  clientId?: number;
  timezone?: string;
  attempts?: number;
  tries?: number;
  unconfirmed?: boolean;
  repeated?: boolean;
  /** Where its last attempt went. */
  address?: string;
  /** Minutes from now; default: never tried. */
  notBeforeIn?: number;
}

let phones = 0;
/** A phone that no other client of this test file has. */
export function newPhone(): string {
  return `79${String(++phones).padStart(9, '0')}`;
}
/** Stores clients and answers with their ids, in the given order. */
export async function addClients(dataSource: DataSource, seeds: ClientSeed[]): Promise<number[]> {
  const pool = poolOf(dataSource);
  const ids: number[] = [];
  for (const seed of seeds) {
    const { rows } = await pool.query<{ id: number }>(
      `INSERT INTO clients (phone, operator_code, timezone) VALUES ($1, $2, $3) RETURNING id`,
      [seed.phone ?? newPhone(), seed.operatorCode ?? '900', seed.timezone ?? 'Europe/Moscow'],
    );
    const id = rows[0]?.id ?? 0;
    ids.push(id);
    await pool.query(
      `WITH made AS (
         INSERT INTO tags (name) SELECT unnest($2::text[]) ON CONFLICT (name) DO UPDATE SET name = excluded.name
         RETURNING id)
       INSERT INTO client_tags (client_id, tag_id) SELECT $1, id FROM made`,
      [id, seed.tags ?? []],
    );
  }
  return ids;
}
/** Stores a mailing as if it had been created earlier: running for an hour, an hour to go. */
export async function addMailing(dataSource: DataSource, seed: MailingSeed = {}): Promise<number> {
  const { rows } = await poolOf(dataSource).query<{ id: number }>(
    `WITH made AS (
       INSERT INTO mailings (name, channel, lane_id, filter, start_at, end_at, status, ended_at,
         finished_at, rate_per_second, window_from, window_to, window_timezone, content_version, max_tries)
       SELECT $1, l.channel, l.id, $9::jsonb,
         now() + $2 * interval '1 minute', now() + $3 * interval '1 minute', $4::mailing_status,
         CASE WHEN $4 IN ('completed', 'cancelled') THEN now() END,
         CASE WHEN $4 IN ('completed', 'cancelled') THEN now() END, $5, $6, $7, $8, 1, $10
       FROM (SELECT * FROM lanes ORDER BY id LIMIT 1) l
       RETURNING id
     ), contents AS (
       INSERT INTO mailing_contents (mailing_id, version, content) SELECT id, 1, '{"text": "text"}' FROM made)
     INSERT INTO mailing_counters (mailing_id, planned) SELECT id, $11 FROM made RETURNING mailing_id AS id`,
    [
      seed.name ?? 'mailing',
      seed.startsIn ?? -60,
      seed.endsIn ?? 60,
      seed.status ?? 'running',
      seed.ratePerSecond ?? null,
      seed.window?.from ?? null,
      seed.window?.to ?? null,
      seed.window?.timezone ?? null,
      { operatorCodes: [], tags: [], phones: [], ...seed.filter },
      seed.maxTries ?? null,
      seed.status !== 'scheduled',
    ],
  );
  const id = rows[0]?.id ?? 0;
  await poolOf(dataSource).query(
    `UPDATE mailing_counters k SET in_totals = true FROM mailings g
     WHERE k.mailing_id = $1 AND g.id = $1 AND g.finished_at IS NOT NULL`,
    [id],
  );
  return id;
}
let unknownClients = 1_000_000_000;
/** Stores messages of a mailing, counted, and answers with their ids in the given order. */
export async function addMessages(
  dataSource: DataSource,
  mailingId: number,
  seeds: MessageSeed[],
): Promise<number[]> {
  const pool = poolOf(dataSource);
  const ids: number[] = [];
  for (const seed of seeds) {
    const attempted = ['sending', 'sent', 'failed', 'unknown'].includes(seed.status) ? 1 : 0;
    const { rows } = await pool.query<{ id: number }>(
      `WITH zone AS (
         INSERT INTO zones (name) VALUES ($4) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id)
       INSERT INTO messages (mailing_id, client_id, status, zone_id, attempts, tries, unconfirmed,
         address, repeated, not_before, lease_until, sent_at, latency_ms, content_version)
       SELECT $1, $2, $3::message_status, zone.id, $5, $6, $7, $8, $10,
         COALESCE(now() + $9 * interval '1 minute', '-infinity'),
         CASE $3 WHEN 'sending' THEN now() + interval '30 s' END, CASE $3 WHEN 'sent' THEN now() END,
         CASE $3 WHEN 'sent' THEN 12 END, CASE WHEN $5 > 0 THEN 1 END
       FROM zone RETURNING id`,
      [
        mailingId,
        seed.clientId ?? ++unknownClients,
        seed.status,
        seed.timezone ?? 'Europe/Moscow',
        seed.attempts ?? attempted,
        seed.tries ?? seed.attempts ?? attempted,
        seed.unconfirmed ?? false,
        seed.address ?? null,
        seed.notBeforeIn ?? null,
        seed.repeated ?? false,
      ],
    );
    ids.push(rows[0]?.id ?? 0);
    await pool.query(
      `UPDATE mailing_counters SET total = total + 1, ${seed.status} = ${seed.status} + 1,
         repeated = repeated + $2::int WHERE mailing_id = $1`,
      [mailingId, Number(seed.repeated ?? false)],
    );
  }
  await pool.query(BOOK_LONG_AGO, [mailingId]);
  return ids;
}

/** What a test stores as given happened before anything that it looks at. */
const BOOK_LONG_AGO = `
  WITH now AS (
    DELETE FROM mailing_activity WHERE mailing_id = $1 AND minute > now() - interval '2 minutes'
      AND minute <= now() RETURNING *)
  INSERT INTO mailing_activity AS a (mailing_id, minute, pending, sending, sent, failed, expired, cancelled, unknown)
  SELECT $1, '2000-01-01T00:00Z', sum(pending), sum(sending), sum(sent), sum(failed), sum(expired),
    sum(cancelled), sum(unknown) FROM now HAVING count(*) > 0
  ON CONFLICT (mailing_id, minute) DO UPDATE SET pending = a.pending + excluded.pending,
    sending = a.sending + excluded.sending, sent = a.sent + excluded.sent, failed = a.failed + excluded.failed,
    expired = a.expired + excluded.expired, cancelled = a.cancelled + excluded.cancelled,
    unknown = a.unknown + excluded.unknown`;
/** The counter of a mailing beside what its rows say; they must be equal at every commit. */
export async function countersAndRows(
  dataSource: DataSource,
  mailingId: number,
): Promise<{ counters: Record<string, number>; rows: Record<string, number> }> {
  const pool = poolOf(dataSource);
  const counted = await pool.query<Record<string, number>>(
    `SELECT pending, sending, sent, failed, expired, cancelled, unknown
     FROM mailing_counters WHERE mailing_id = $1`,
    [mailingId],
  );
  const grouped = await pool.query<{ status: string; n: number }>(
    'SELECT status, count(*) AS n FROM messages WHERE mailing_id = $1 GROUP BY status',
    [mailingId],
  );
  const counters = Object.entries(counted.rows[0] ?? {}).filter(([, n]) => n !== 0);
  return {
    counters: Object.fromEntries(counters),
    rows: Object.fromEntries(grouped.rows.map(({ status, n }) => [status, n])),
  };
}

/** Stores `count` clients in one statement. */
export async function addManyClients(
  dataSource: DataSource,
  count: number,
  seed: Pick<ClientSeed, 'operatorCode' | 'timezone'> = {},
): Promise<void> {
  const first = phones + 1;
  phones += count;
  await dataSource.query(
    `INSERT INTO clients (phone, operator_code, timezone)
     SELECT '79' || lpad(i::text, 9, '0'), $3, $4 FROM generate_series($1::int, $2::int) AS i`,
    [first, phones, seed.operatorCode ?? '900', seed.timezone ?? 'Europe/Moscow'],
  );
}

/** Opens the slots of a mailing in all zones, from an hour ago to an hour ahead. */
export async function openSlots(dataSource: DataSource, mailingId: number): Promise<void> {
  await dataSource.query(
    `INSERT INTO mailing_slots (mailing_id, zone_id, opens_at, closes_at)
     SELECT $1, id, now() - interval '1 hour', now() + interval '1 hour' FROM zones`,
    [mailingId],
  );
}
