import type { Repeatable } from './repeatable.js';

/**
 * The activity is written here and nowhere else, so that it adds up to the counters, no matter what changes
 * them: what is taken back is negative. Its row is guarded by the lock on the counter.
 */
export const NOTE_ACTIVITY: Repeatable = {
  name: 'note-activity',
  functions: ['note_activity'],
  sql: `
CREATE OR REPLACE FUNCTION note_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO mailing_activity AS a
    (mailing_id, minute, pending, sending, sent, failed, expired, cancelled, unknown, bad_attempts)
  VALUES (NEW.mailing_id, date_trunc('minute', clock_timestamp()), NEW.pending - OLD.pending,
    NEW.sending - OLD.sending, NEW.sent - OLD.sent, NEW.failed - OLD.failed, NEW.expired - OLD.expired,
    NEW.cancelled - OLD.cancelled, NEW.unknown - OLD.unknown, NEW.bad_attempts - OLD.bad_attempts)
  ON CONFLICT (mailing_id, minute) DO UPDATE SET pending = a.pending + excluded.pending,
    sending = a.sending + excluded.sending, sent = a.sent + excluded.sent, failed = a.failed + excluded.failed,
    expired = a.expired + excluded.expired, cancelled = a.cancelled + excluded.cancelled,
    unknown = a.unknown + excluded.unknown, bad_attempts = a.bad_attempts + excluded.bad_attempts;
  RETURN NULL;
END $$;
`,
};

/**
 * Finished mailings can still change: a confirmation may come late, they may be reopened or deleted.
 * Deferred, so that the one row of totals is locked last and for the time of a commit only.
 */
export const ADD_TO_TOTALS: Repeatable = {
  name: 'add-to-totals',
  functions: ['add_to_totals'],
  sql: `
CREATE OR REPLACE FUNCTION add_to_totals() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_old mailing_counters := CASE WHEN OLD.in_totals THEN OLD END;
  v_new mailing_counters := CASE WHEN NEW.in_totals THEN NEW END;
BEGIN
  UPDATE mailing_totals t SET
    mailings = t.mailings + num_nonnulls(v_new.mailing_id) - num_nonnulls(v_old.mailing_id),
    total = t.total + COALESCE(v_new.total, 0) - COALESCE(v_old.total, 0),
    pending = t.pending + COALESCE(v_new.pending, 0) - COALESCE(v_old.pending, 0),
    sending = t.sending + COALESCE(v_new.sending, 0) - COALESCE(v_old.sending, 0),
    sent = t.sent + COALESCE(v_new.sent, 0) - COALESCE(v_old.sent, 0),
    failed = t.failed + COALESCE(v_new.failed, 0) - COALESCE(v_old.failed, 0),
    expired = t.expired + COALESCE(v_new.expired, 0) - COALESCE(v_old.expired, 0),
    cancelled = t.cancelled + COALESCE(v_new.cancelled, 0) - COALESCE(v_old.cancelled, 0),
    unknown = t.unknown + COALESCE(v_new.unknown, 0) - COALESCE(v_old.unknown, 0),
    repeated = t.repeated + COALESCE(v_new.repeated, 0) - COALESCE(v_old.repeated, 0);
  RETURN NULL;
END $$;
`,
};
