import {
  type Mailing,
  type MailingStatus,
  type Queryable,
  TAG_NAMES_LOCK,
  WAKE_CHANNEL,
} from '@app/database';
import { CLOSE_BOOKS, OPEN_BOOKS } from '@app/messages';
import {
  contentOf,
  FIELD_COLUMNS,
  type MailingDraft,
  READ_FIELDS,
  valuesOf,
} from './mailing.fields.js';

/** A mailing as its readers see it. */
export type MailingRecord = MailingDraft &
  Pick<Mailing, 'id' | 'status' | 'endedAt' | 'finishedAt' | 'createdAt' | 'updatedAt'> & {
    /** The version of its content. */
    textVersion: number;
  };

/** A new mailing; `startAt` null is now. */
export type NewMailing = Omit<MailingDraft, 'startAt'> & { startAt: Date | null };

const COLUMNS = `
  g.id, ${READ_FIELDS}, g.content_version AS "textVersion", g.status, g.ended_at AS "endedAt",
  g.finished_at AS "finishedAt", g.created_at AS "createdAt", g.updated_at AS "updatedAt"`;

const CURRENT_CONTENT = `mailing_contents c ON c.mailing_id = g.id AND c.version = g.content_version`;

/** The fields come first, then the content. */
const parameter = (column: string) => `$${FIELD_COLUMNS.indexOf(column) + 1}`;
const CONTENT = `$${FIELD_COLUMNS.length + 1}::jsonb`;
const AFTER_CONTENT = FIELD_COLUMNS.length + 2;

const WAKE = `pg_notify('${WAKE_CHANNEL}', '')`;

/** Statements that store a filter share this lock, so that no tag in it is renamed or deleted meanwhile. */
const HOLD_FILTER = `SELECT pg_advisory_xact_lock_shared(${TAG_NAMES_LOCK})`;

export async function holdFilter(db: Queryable): Promise<void> {
  await db.query({ name: 'hold-filter', text: HOLD_FILTER });
}

/**
 * Stores a mailing with its first content and its counter, and wakes beat: one statement, one commit.
 *
 * @returns null when `endAt` has passed by the database's clock; nothing is stored then.
 */
export async function insertMailingIfNotEnded(
  db: Queryable,
  mailing: NewMailing,
): Promise<MailingRecord | null> {
  const { rows } = await db.query<MailingRecord>({
    name: 'insert-mailing-if-not-ended',
    text: `
      WITH held AS MATERIALIZED (${HOLD_FILTER}), created AS (
        INSERT INTO mailings AS g (lane_id, ${FIELD_COLUMNS.join(', ')})
        SELECT l.id, ${FIELD_COLUMNS.map(valueToInsert).join(', ')}
        FROM held, lanes l
        WHERE l.channel = ${parameter('channel')} AND l.name = ${parameter('channel')}::text
          AND ${parameter('end_at')} > clock_timestamp()
        RETURNING g.*
      ), first_content AS (
        INSERT INTO mailing_contents (mailing_id, version, content) SELECT id, 1, ${CONTENT} FROM created
      ), counted AS (
        ${OPEN_BOOKS}
      ), woken AS MATERIALIZED (SELECT ${WAKE} FROM created)
      SELECT ${COLUMNS} FROM created g, (SELECT ${CONTENT} AS content) c, woken`,
    values: [...valuesOf(mailing), JSON.stringify(contentOf(mailing))],
  });
  return rows[0] ?? null;
}

/** Milliseconds, so that what is answered and sent back is the same instant. */
function valueToInsert(column: string): string {
  if (column !== 'start_at') return parameter(column);
  return `COALESCE(${parameter(column)}, date_trunc('milliseconds', clock_timestamp()))`;
}

/** Deleted mailings are left out. */
export async function readMailing(db: Queryable, id: number): Promise<MailingRecord | null> {
  const { rows } = await db.query<MailingRecord>({
    name: 'read-mailing',
    text: `SELECT ${COLUMNS} FROM mailings g JOIN ${CURRENT_CONTENT}
      WHERE g.id = $1 AND g.deleted_at IS NULL`,
    values: [id],
  });
  return rows[0] ?? null;
}

export interface MailingFilter {
  status: MailingStatus | null;
  /** A part of the name, in any case of letters. */
  name: string | null;
  /** Only mailings below this id: newest first. */
  before: number | null;
  limit: number;
}

/**
 * Newest first. What matches is looked for in `mailings_listed`, an index of names and statuses: the
 * mailings themselves, with their filters, are up to a hundred times as large. So a name that none
 * of 300,000 mailings has costs some 20 ms of the server's CPU (with strpos 54), and it works without
 * pg_trgm, which not every server has.
 */
export async function listMailings(db: Queryable, filter: MailingFilter): Promise<MailingRecord[]> {
  const { rows } = await db.query<MailingRecord>({
    name: 'list-mailings',
    text: `
      SELECT ${COLUMNS} FROM (
        SELECT id FROM mailings
        WHERE deleted_at IS NULL AND id < $1
          AND ($2::mailing_status IS NULL OR status = $2)
          AND ($3::text IS NULL OR lower(name) LIKE (SELECT lower($3)))
        ORDER BY id DESC LIMIT $4
      ) page JOIN mailings g ON g.id = page.id JOIN ${CURRENT_CONTENT}
      ORDER BY g.id DESC`,
    values: [
      filter.before ?? Number.MAX_SAFE_INTEGER,
      filter.status,
      filter.name === null ? null : `%${filter.name.replace(/[\\%_]/g, '\\$&')}%`,
      filter.limit,
    ],
  });
  return rows;
}

/**
 * Locks the mailing to the end of the transaction; `now` is the database's clock. It is read after it is
 * locked, with a snapshot that has what the last holder of the lock wrote.
 */
export async function lockMailing(
  db: Queryable,
  id: number,
): Promise<{ current: MailingRecord; now: Date } | null> {
  await db.query({
    name: 'lock-mailing',
    text: 'SELECT FROM mailings WHERE id = $1 FOR NO KEY UPDATE',
    values: [id],
  });
  const { rows } = await db.query<MailingRecord & { now: Date }>({
    name: 'read-locked-mailing',
    text: `SELECT ${COLUMNS}, clock_timestamp() AS now FROM mailings g JOIN ${CURRENT_CONTENT}
      WHERE g.id = $1 AND g.deleted_at IS NULL`,
    values: [id],
  });
  const [row] = rows;
  if (!row) return null;
  const { now, ...current } = row;
  return { current, now };
}

/**
 * Writes what an edit decided about a mailing that is locked. A new content becomes a new version; a
 * new schedule deletes the slots, and beat computes them again: without a slot nothing is claimed.
 */
export async function writeLockedMailing(
  db: Queryable,
  id: number,
  draft: MailingDraft,
  changed: { content: boolean; schedule: boolean },
): Promise<MailingRecord> {
  const { rows } = await db.query<MailingRecord>({
    name: 'write-locked-mailing',
    text: `
      WITH written AS (
        UPDATE mailings g SET
          ${FIELD_COLUMNS.map((column) => `${column} = ${parameter(column)}`).join(', ')},
          content_version = g.content_version + $${AFTER_CONTENT + 1}::bool::int,
          schedule_version = g.schedule_version + $${AFTER_CONTENT + 2}::bool::int,
          updated_at = clock_timestamp()
        WHERE g.id = $${AFTER_CONTENT}
        RETURNING g.*
      ), new_content AS (
        INSERT INTO mailing_contents (mailing_id, version, content)
        SELECT id, content_version, ${CONTENT} FROM written WHERE $${AFTER_CONTENT + 1}
      ), old_slots AS (
        DELETE FROM mailing_slots s USING written WHERE s.mailing_id = written.id AND $${AFTER_CONTENT + 2}
      ), woken AS MATERIALIZED (SELECT ${WAKE})
      SELECT ${COLUMNS} FROM written g, (SELECT ${CONTENT} AS content) c, woken`,
    values: [
      ...valuesOf(draft),
      JSON.stringify(contentOf(draft)),
      id,
      changed.content,
      changed.schedule,
    ],
  });
  const [written] = rows;
  if (!written) throw new Error(`Mailing ${id} was locked and does not exist`);
  return written;
}

export async function pauseIfRunning(db: Queryable, id: number): Promise<boolean> {
  return changeStatus(db, 'pause-if-running', `status = 'paused'`, `status = 'running'`, id);
}

export async function resumeIfPaused(db: Queryable, id: number): Promise<boolean> {
  return changeStatus(db, 'resume-if-paused', `status = 'running'`, `status = 'paused'`, id);
}

/** Beat turns the messages that wait into `cancelled` and sets `finished_at` when none is left. */
export async function cancelIfNotEnded(db: Queryable, id: number): Promise<boolean> {
  return changeStatus(
    db,
    'cancel-if-not-ended',
    `status = 'cancelled', ended_at = clock_timestamp()`,
    `status IN ('scheduled', 'running', 'paused')`,
    id,
  );
}

async function changeStatus(
  db: Queryable,
  name: string,
  change: string,
  guard: string,
  id: number,
): Promise<boolean> {
  const { rows } = await db.query({
    name,
    text: `
      WITH changed AS (
        UPDATE mailings SET ${change}, updated_at = clock_timestamp()
        WHERE id = $1 AND deleted_at IS NULL AND ${guard}
        RETURNING id
      ) SELECT ${WAKE} FROM changed`,
    values: [id],
  });
  return rows.length === 1;
}

/**
 * Hides the mailing everywhere; beat purges its rows later. The counter goes first: all who lock
 * both take them in this order.
 */
export async function hideIfNotDeleted(db: Queryable, id: number): Promise<boolean> {
  const { rows } = await db.query({
    name: 'hide-if-not-deleted',
    text: `
      WITH uncounted AS (
        ${CLOSE_BOOKS}
      ), hidden AS (
        UPDATE mailings g SET deleted_at = clock_timestamp(), updated_at = clock_timestamp()
        FROM uncounted WHERE g.id = uncounted.mailing_id AND g.deleted_at IS NULL
        RETURNING g.id
      ) SELECT ${WAKE} FROM hidden`,
    values: [id],
  });
  return rows.length === 1;
}
