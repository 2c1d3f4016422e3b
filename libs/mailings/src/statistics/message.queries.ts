import {
  type AttemptOutcome,
  type BreakerState,
  type MailingStatus,
  MESSAGE_STATUSES,
  type MessageStatus,
  type Queryable,
} from '@app/database';

/** A message as its readers see it. */
export interface MessageRecord {
  id: number;
  mailingId: number;
  clientId: number;
  /**
   * Where it went at its last attempt; before the first one the client's phone of now. Null when the
   * client has been deleted.
   */
  phone: string | null;
  status: MessageStatus;
  /** When it was planned. */
  createdAt: Date;
  attempts: number;
  tries: number;
  sentAt: Date | null;
  latencyMs: number | null;
  textVersion: number | null;
  unconfirmed: boolean;
  /** It may have reached its client twice; stays true, also after a confirmation. */
  repeated: boolean;
  lastErrorCode: string | null;
  lastError: string | null;
  /** Of a pending message that was tried before: when it is due again. */
  nextAttemptAt: Date | null;
}

// The phone is read row by row: a join could be planned as a merge that reads every client from
// the first one on to get to a deep page. `-infinity` (due since ever) is no JavaScript date.
const COLUMNS = `
  m.id, m.mailing_id AS "mailingId", m.client_id AS "clientId",
  COALESCE(m.address, (SELECT c.phone FROM clients c WHERE c.id = m.client_id)) AS phone, m.status,
  m.created_at AS "createdAt", m.attempts, m.tries, m.sent_at AS "sentAt", m.latency_ms AS "latencyMs",
  m.content_version AS "textVersion", m.unconfirmed, m.repeated, m.last_error_code AS "lastErrorCode", m.last_error AS "lastError",
  CASE WHEN m.status = 'pending' AND m.not_before <> '-infinity' THEN m.not_before END AS "nextAttemptAt"`;

export async function mailingExists(db: Queryable, id: number): Promise<boolean> {
  const { rows } = await db.query({
    name: 'mailing-exists',
    text: 'SELECT 1 FROM mailings WHERE id = $1 AND deleted_at IS NULL',
    values: [id],
  });
  return rows.length === 1;
}

/** In order of client, along the unique index. */
export async function listMessages(
  db: Queryable,
  page: { mailingId: number; afterClientId: number; limit: number },
): Promise<MessageRecord[]> {
  const { rows } = await db.query<MessageRecord>({
    name: 'list-messages',
    text: `
      SELECT ${COLUMNS} FROM messages m
      WHERE m.mailing_id = $1 AND m.client_id > $2
      ORDER BY m.client_id LIMIT $3`,
    values: [page.mailingId, page.afterClientId, page.limit],
  });
  return rows;
}

/** The place of a message in `messages_due`. */
export interface DueKey {
  zoneId: number;
  /** Microseconds since 1970; null is `-infinity`. */
  notBeforeUs: number | null;
  id: number;
}

export type ListedMessage = MessageRecord & DueKey;

/**
 * In the order of the index `messages_due`, so that any depth costs the same; while messages move,
 * one may be missed or met again, as on every list by a status that changes.
 */
export async function listMessagesByStatus(
  db: Queryable,
  page: { mailingId: number; status: MessageStatus; after: DueKey | null; limit: number },
): Promise<ListedMessage[]> {
  const { rows } = await db.query<ListedMessage>({
    name: 'list-messages-by-status',
    text: `
      SELECT ${COLUMNS}, m.zone_id AS "zoneId",
        (NULLIF(extract(epoch FROM m.not_before), '-infinity') * 1000000)::bigint AS "notBeforeUs"
      FROM messages m
      WHERE m.mailing_id = $1 AND m.status = $2
        AND (m.zone_id, m.not_before, m.id) > ($3::int,
          COALESCE('epoch'::timestamptz + $4::float8 * interval '1 microsecond', '-infinity'), $5::bigint)
      ORDER BY m.zone_id, m.not_before, m.id LIMIT $6`,
    values: [
      page.mailingId,
      page.status,
      page.after?.zoneId ?? 0,
      page.after?.notBeforeUs ?? null,
      page.after?.id ?? 0,
      page.limit,
    ],
  });
  return rows;
}

/** The place of a message in `messages_repeated`. */
export interface RepeatedKey {
  status: MessageStatus;
  id: number;
}

/** Those that may have reached their client twice, along the index that holds nothing else. */
export async function listRepeatedMessages(
  db: Queryable,
  page: {
    mailingId: number;
    status: MessageStatus | null;
    after: RepeatedKey | null;
    limit: number;
  },
): Promise<MessageRecord[]> {
  const after = page.after ?? { status: page.status ?? MESSAGE_STATUSES[0], id: 0 };
  const { rows } = await db.query<MessageRecord>({
    name: page.status ? 'list-repeated-messages-by-status' : 'list-repeated-messages',
    text: `
      SELECT ${COLUMNS} FROM messages m
      WHERE m.mailing_id = $1 AND m.repeated ${page.status ? 'AND m.status = $2' : ''}
        AND (m.status, m.id) > ($2::message_status, $3::bigint)
      ORDER BY m.status, m.id LIMIT $4`,
    values: [page.mailingId, after.status, after.id, page.limit],
  });
  return rows;
}

/** The message of a mailing to the client who has this phone now, if there is one and it matches. */
export async function findMessageByPhone(
  db: Queryable,
  query: { mailingId: number; phone: string; status: MessageStatus | null; repeated: boolean },
): Promise<MessageRecord | null> {
  const { rows } = await db.query<MessageRecord>({
    name: 'find-message-by-phone',
    text: `
      SELECT ${COLUMNS} FROM messages m
      WHERE m.mailing_id = $1 AND m.client_id = (SELECT id FROM clients WHERE phone = $2)
        AND ($3::message_status IS NULL OR m.status = $3) AND (m.repeated OR NOT $4)`,
    values: [query.mailingId, query.phone, query.status, query.repeated],
  });
  return rows[0] ?? null;
}

/** A message with everything that decides about its next step. */
export interface MessageSituation extends MessageRecord {
  mailingStatus: MailingStatus;
  startAt: Date;
  endAt: Date;
  /** The next slot of its zone; both null while it is not known, or when none comes before the end. */
  opensAt: Date | null;
  closesAt: Date | null;
  /** The zone has no slot before the end any more. */
  unreachable: boolean;
  laneState: BreakerState;
  laneReason: string | null;
  laneProbeAt: Date | null;
  /** Null unless the provider has asked for a pause that is not over. */
  lanePausedUntil: Date | null;
  leaseUntil: Date | null;
  /** The database's clock. */
  now: Date;
}

export async function readMessage(db: Queryable, id: number): Promise<MessageSituation | null> {
  const { rows } = await db.query<MessageSituation>({
    name: 'read-message',
    text: `
      SELECT ${COLUMNS}, g.status AS "mailingStatus", g.start_at AS "startAt", g.end_at AS "endAt",
        CASE WHEN s.closes_at > s.opens_at THEN s.opens_at END AS "opensAt",
        CASE WHEN s.closes_at > s.opens_at THEN s.closes_at END AS "closesAt",
        COALESCE(s.closes_at = '-infinity', false) AS unreachable,
        l.state AS "laneState", l.reason AS "laneReason", l.probe_at AS "laneProbeAt",
        CASE WHEN l.paused_until > clock_timestamp() THEN l.paused_until END AS "lanePausedUntil",
        m.lease_until AS "leaseUntil", clock_timestamp() AS now
      FROM messages m
      JOIN mailings g ON g.id = m.mailing_id
      JOIN lanes l ON l.id = g.lane_id
      LEFT JOIN mailing_slots s ON s.mailing_id = m.mailing_id AND s.zone_id = m.zone_id
      WHERE m.id = $1 AND g.deleted_at IS NULL`,
    values: [id],
  });
  return rows[0] ?? null;
}

/** An attempt that did not end in `sent`. */
export interface AttemptRecord {
  attempt: number;
  at: Date;
  durationMs: number | null;
  outcome: AttemptOutcome;
  httpStatus: number | null;
  errorCode: string;
  error: string | null;
  textVersion: number | null;
  excerpt: string | null;
}

/** Oldest first. */
export async function readAttempts(
  db: Queryable,
  messageId: number,
  limit: number,
): Promise<AttemptRecord[]> {
  const { rows } = await db.query<AttemptRecord>({
    name: 'read-attempts',
    text: `
      SELECT * FROM (
        SELECT attempt, at, duration_ms AS "durationMs", outcome, http_status AS "httpStatus",
          error_code AS "errorCode", error, content_version AS "textVersion", excerpt
        FROM delivery_attempts WHERE message_id = $1
        ORDER BY attempt DESC, id DESC LIMIT $2
      ) latest ORDER BY attempt, at`,
    values: [messageId, limit],
  });
  return rows;
}
