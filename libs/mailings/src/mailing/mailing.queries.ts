import {
  type AudienceFilter,
  type ChannelName,
  type Mailing,
  type MailingStatus,
  type Queryable,
  TAG_NAMES_LOCK,
  WAKE_CHANNEL,
} from '@app/database';
import type { LocalWindow } from '@app/platform';

/** A mailing as its readers see it. */
export type MailingRecord = Pick<
  Mailing,
  | 'id'
  | 'name'
  | 'channel'
  | 'text'
  | 'textVersion'
  | 'filter'
  | 'startAt'
  | 'endAt'
  | 'windowFrom'
  | 'windowTo'
  | 'windowTimezone'
  | 'ratePerSecond'
  | 'maxTries'
  | 'reportTo'
  | 'report'
  | 'status'
  | 'endedAt'
  | 'finishedAt'
  | 'createdAt'
  | 'updatedAt'
>;

/** What a caller decides about a mailing. */
export interface MailingDraft {
  name: string;
  channel: ChannelName;
  text: string;
  filter: AudienceFilter;
  startAt: Date;
  endAt: Date;
  window: LocalWindow | null;
  /** Messages per second; null: as fast as the channel takes them. */
  ratePerSecond: number | null;
  /** Tries per message before it fails; null: until the end. */
  maxTries: number | null;
  /** Who gets the completion report besides those of the settings. */
  reportTo: string[];
  /** Whether there is a completion report. */
  report: boolean;
}

/** A new mailing; `startAt` null is now. */
export type NewMailing = Omit<MailingDraft, 'startAt'> & { startAt: Date | null };

const COLUMNS = `
  g.id, g.name, g.channel, g.text, g.text_version AS "textVersion", g.filter,
  g.start_at AS "startAt", g.end_at AS "endAt", g.window_from AS "windowFrom",
  g.window_to AS "windowTo", g.window_timezone AS "windowTimezone",
  g.rate_per_second AS "ratePerSecond", g.max_tries AS "maxTries",
  g.report_to AS "reportTo", g.report_enabled AS "report", g.status,
  g.ended_at AS "endedAt", g.finished_at AS "finishedAt",
  g.created_at AS "createdAt", g.updated_at AS "updatedAt"`;

const WAKE = `pg_notify('${WAKE_CHANNEL}', '')`;

/** What stores a filter shares this lock, so that no tag in it is renamed or deleted meanwhile. */
const HOLD_FILTER = `SELECT pg_advisory_xact_lock_shared(${TAG_NAMES_LOCK})`;

export async function holdFilter(db: Queryable): Promise<void> {
  await db.query({ name: 'hold-filter', text: HOLD_FILTER });
}

/**
 * Stores a mailing with its first text and its counter, and wakes beat: one statement, one commit.
 * `id` null takes the next one.
 *
 * @returns null when `endAt` has passed by the database's clock; nothing is stored then.
 */
export async function insertMailingIfNotEnded(
  db: Queryable,
  mailing: NewMailing,
  id: number | null,
): Promise<MailingRecord | null> {
  const { rows } = await db.query<MailingRecord>({
    name: 'insert-mailing-if-not-ended',
    text: `
      WITH held AS MATERIALIZED (${HOLD_FILTER}), created AS (
        INSERT INTO mailings AS g (id, name, channel, lane_id, text, filter, start_at, end_at,
          window_from, window_to, window_timezone, rate_per_second, max_tries, report_to, report_enabled)
        SELECT COALESCE($1, nextval(pg_get_serial_sequence('mailings', 'id'))), $2, $3, l.id, $4, $5,
          -- Milliseconds, so that what is answered and sent back is the very same instant.
          COALESCE($6, date_trunc('milliseconds', clock_timestamp())), $7, $8, $9, $10, $11, $12, $13, $14
        FROM held, lanes l
        WHERE l.channel = $3 AND l.name = 'notification' AND $7 > clock_timestamp()
        RETURNING ${COLUMNS}
      ), first_text AS (
        INSERT INTO mailing_texts (mailing_id, version, text) SELECT id, 1, text FROM created
      ), counted AS (
        INSERT INTO mailing_counters (mailing_id) SELECT id FROM created
      ), woken AS MATERIALIZED (SELECT ${WAKE} FROM created)
      SELECT created.* FROM created, woken`,
    values: [
      id,
      mailing.name,
      mailing.channel,
      mailing.text,
      JSON.stringify(mailing.filter),
      mailing.startAt,
      mailing.endAt,
      mailing.window?.from ?? null,
      mailing.window?.to ?? null,
      mailing.window?.timezone ?? null,
      mailing.ratePerSecond,
      mailing.maxTries,
      mailing.reportTo,
      mailing.report,
    ],
  });
  return rows[0] ?? null;
}

/** Deleted mailings are as if they had never been. */
export async function readMailing(db: Queryable, id: number): Promise<MailingRecord | null> {
  const { rows } = await db.query<MailingRecord>({
    name: 'read-mailing',
    text: `SELECT ${COLUMNS} FROM mailings g WHERE g.id = $1 AND g.deleted_at IS NULL`,
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
 * mailings themselves, with their texts and filters, are a hundred times as large. So a name that none
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
      ) page JOIN mailings g ON g.id = page.id
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

/** Locks the mailing to the end of the transaction; `now` is the database's clock. */
export async function lockMailing(
  db: Queryable,
  id: number,
): Promise<(MailingRecord & { now: Date }) | null> {
  const { rows } = await db.query<MailingRecord & { now: Date }>({
    name: 'lock-mailing',
    text: `SELECT ${COLUMNS}, clock_timestamp() AS now FROM mailings g
      WHERE g.id = $1 AND g.deleted_at IS NULL FOR NO KEY UPDATE`,
    values: [id],
  });
  return rows[0] ?? null;
}

/**
 * Writes what an edit decided about a mailing that is locked. A new text becomes a new version; a
 * new schedule throws the slots away, and beat computes them anew: without a slot nothing is claimed.
 */
export async function writeLockedMailing(
  db: Queryable,
  id: number,
  draft: MailingDraft,
  changed: { text: boolean; schedule: boolean },
): Promise<MailingRecord> {
  const { rows } = await db.query<MailingRecord>({
    name: 'write-locked-mailing',
    text: `
      WITH written AS (
        UPDATE mailings g SET name = $2, channel = $3, text = $4, filter = $5, start_at = $6, end_at = $7,
          window_from = $8, window_to = $9, window_timezone = $10, rate_per_second = $11, max_tries = $12,
          report_to = $13, report_enabled = $14,
          text_version = g.text_version + $15::bool::int,
          schedule_version = g.schedule_version + $16::bool::int,
          updated_at = clock_timestamp()
        WHERE g.id = $1
        RETURNING ${COLUMNS}
      ), new_text AS (
        INSERT INTO mailing_texts (mailing_id, version, text)
        SELECT id, "textVersion", text FROM written WHERE $15
      ), old_slots AS (
        DELETE FROM mailing_slots s USING written WHERE s.mailing_id = written.id AND $16
      ), woken AS MATERIALIZED (SELECT ${WAKE})
      SELECT written.* FROM written, woken`,
    values: [
      id,
      draft.name,
      draft.channel,
      draft.text,
      JSON.stringify(draft.filter),
      draft.startAt,
      draft.endAt,
      draft.window?.from ?? null,
      draft.window?.to ?? null,
      draft.window?.timezone ?? null,
      draft.ratePerSecond,
      draft.maxTries,
      draft.reportTo,
      draft.report,
      changed.text,
      changed.schedule,
    ],
  });
  const [written] = rows;
  if (!written) throw new Error(`Mailing ${id} was locked and is gone`);
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
 * Hides the mailing everywhere; beat purges its rows later. The counter goes first: whoever locks
 * both takes them in this order.
 */
export async function hideIfNotDeleted(db: Queryable, id: number): Promise<boolean> {
  const { rows } = await db.query({
    name: 'hide-if-not-deleted',
    text: `
      WITH uncounted AS (
        DELETE FROM mailing_counters WHERE mailing_id = $1 RETURNING mailing_id
      ), hidden AS (
        UPDATE mailings g SET deleted_at = clock_timestamp(), updated_at = clock_timestamp()
        FROM uncounted WHERE g.id = uncounted.mailing_id AND g.deleted_at IS NULL
        RETURNING g.id
      ) SELECT ${WAKE} FROM hidden`,
    values: [id],
  });
  return rows.length === 1;
}
