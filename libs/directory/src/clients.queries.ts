import type { MessageStatus, Queryable, Statement } from '@app/database';
import { MAILINGS_OF_CLIENT } from '@app/messages';

export interface ClientRow {
  id: number;
  phone: string;
  operatorCode: string;
  timezone: string;
  /** Names, in alphabetical order. */
  tags: string[];
}

export type ClientValues = Omit<ClientRow, 'id'>;

const COLUMNS = 'c.id, c.phone, c.operator_code AS "operatorCode", c.timezone';
const TAGS = `ARRAY(
  SELECT t.name FROM client_tags ct JOIN tags t ON t.id = ct.tag_id
  WHERE ct.client_id = c.id ORDER BY t.name COLLATE "C") AS tags`;

export type Insertion = { id: number } | 'phone_taken' | 'tag_unknown';

/** Writes nothing when a tag does not exist or the phone is taken. `tags` must differ. */
export async function insertClientIfTagsExist(
  db: Queryable,
  { phone, operatorCode, timezone, tags }: ClientValues,
): Promise<Insertion> {
  const { rows } = await db.query<{ id: number | null; known: boolean }>({
    name: 'insert-client-if-tags-exist',
    text: `
WITH named AS (SELECT id FROM tags WHERE name = ANY ($4::text[])),
complete AS (SELECT count(*) = cardinality($4::text[]) AS known FROM named),
added AS (
  INSERT INTO clients (phone, operator_code, timezone)
  SELECT $1, $2, $3 FROM complete WHERE known
  ON CONFLICT (phone) DO NOTHING
  RETURNING id
), linked AS (
  INSERT INTO client_tags (client_id, tag_id) SELECT added.id, named.id FROM added, named
)
SELECT known, (SELECT id FROM added) AS id FROM complete`,
    values: [phone, operatorCode, timezone, tags],
  });
  const id = rows[0]?.id ?? null;
  if (id !== null) return { id };
  return rows[0]?.known ? 'phone_taken' : 'tag_unknown';
}

export async function readClient(db: Queryable, id: number): Promise<ClientRow | null> {
  const { rows } = await db.query<ClientRow>({
    name: 'read-client',
    text: `SELECT ${COLUMNS}, ${TAGS} FROM clients c WHERE c.id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

export async function clientExists(db: Queryable, id: number): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'client-exists',
    text: 'SELECT FROM clients WHERE id = $1',
    values: [id],
  });
  return rowCount === 1;
}

/** Locks the client against other changes, and reads it. */
export async function lockClient(db: Queryable, id: number): Promise<ClientRow | null> {
  const { rowCount } = await db.query({
    name: 'lock-client',
    text: 'SELECT FROM clients WHERE id = $1 FOR UPDATE',
    values: [id],
  });
  // Read after the lock, not by it: its tags may have changed while we waited.
  return rowCount === 1 ? readClient(db, id) : null;
}

/** `tags` must exist. */
export async function writeLockedClient(
  db: Queryable,
  { id, phone, operatorCode, timezone, tags }: ClientRow,
): Promise<void> {
  await db.query({
    name: 'write-locked-client',
    text: `
      UPDATE clients SET phone = $2, operator_code = $3, timezone = $4, updated_at = now()
      WHERE id = $1`,
    values: [id, phone, operatorCode, timezone],
  });
  await db.query({
    name: 'unlink-other-tags',
    text: `
      DELETE FROM client_tags
      WHERE client_id = $1 AND tag_id NOT IN (SELECT id FROM tags WHERE name = ANY ($2::text[]))`,
    values: [id, tags],
  });
  await db.query({
    name: 'link-tags',
    text: `
      INSERT INTO client_tags (client_id, tag_id)
      SELECT $1, id FROM tags WHERE name = ANY ($2::text[])
      ON CONFLICT DO NOTHING`,
    values: [id, tags],
  });
}

export async function deleteLockedClient(db: Queryable, id: number): Promise<void> {
  await db.query({
    name: 'delete-locked-client',
    text: 'DELETE FROM clients WHERE id = $1',
    values: [id],
  });
}

export interface ClientFilter {
  phone?: string;
  operatorCode?: string;
  timezone?: string;
  /** The name of a tag. */
  tag?: string;
}

/** In order of id, after `after`. The text follows the filter: one plan for all would suit none. */
export async function listClients(
  db: Queryable,
  filter: ClientFilter,
  after: number,
  limit: number,
): Promise<ClientRow[]> {
  const values: unknown[] = [after, limit];
  const conditions = ['c.id > $1'];
  const add = (condition: (parameter: string) => string, value: string | undefined) => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  add((value) => `c.phone = ${value}`, filter.phone);
  add((value) => `c.operator_code = ${value}`, filter.operatorCode);
  add((value) => `c.timezone = ${value}`, filter.timezone);
  add(
    (value) => `EXISTS (
      SELECT FROM client_tags ct WHERE ct.client_id = c.id
        AND ct.tag_id = (SELECT id FROM tags WHERE name = ${value}))`,
    filter.tag,
  );
  const statement: Statement = {
    text: `
      SELECT ${COLUMNS}, ${TAGS} FROM clients c
      WHERE ${conditions.join(' AND ')} ORDER BY c.id LIMIT $2`,
    values,
  };
  return (await db.query<ClientRow>(statement)).rows;
}

/** What one mailing did for a client. */
export interface ClientMessageRow {
  id: number;
  mailingId: number;
  mailingName: string;
  /** Where the last attempt went; null before the first one. */
  phone: string | null;
  status: MessageStatus;
  /** It may have arrived twice. */
  repeated: boolean;
  attempts: number;
  /** When it was planned. */
  createdAt: Date;
  sentAt: Date | null;
  lastErrorCode: string | null;
  lastError: string | null;
}

/** A client's messages, newest mailing first, of mailings before `before`. */
export async function listClientMessages(
  db: Queryable,
  clientId: number,
  before: number,
  limit: number,
): Promise<ClientMessageRow[]> {
  const { rows } = await db.query<ClientMessageRow>({
    name: 'list-client-messages',
    text: `
      SELECT m.id, g.id AS "mailingId", g.name AS "mailingName", m.address AS phone, m.status,
        m.repeated, m.attempts, m.created_at AS "createdAt", m.sent_at AS "sentAt", m.last_error_code AS "lastErrorCode", m.last_error AS "lastError"
      FROM (${MAILINGS_OF_CLIENT}) b
      JOIN mailings g ON g.id = b.mailing_id AND g.deleted_at IS NULL
      CROSS JOIN LATERAL (
        SELECT * FROM messages WHERE mailing_id = b.mailing_id AND client_id = $1 LIMIT 1) m
      WHERE b.mailing_id < $2
      ORDER BY b.mailing_id DESC LIMIT $3`,
    values: [clientId, before, limit],
  });
  return rows;
}
