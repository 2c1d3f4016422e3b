import type { MigrationInterface, QueryRunner } from 'typeorm';
import { IDS_LOCK } from '../locks.js';

/**
 * What the database keeps true by itself, whoever writes: one book, ids that never come again, and
 * what a client got.
 */
export class BooksAndIds1700000000003 implements MigrationInterface {
  readonly name = 'BooksAndIds1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
-- The activity is written here and nowhere else, so that it adds up to the counters whoever changes
-- them: what is taken back is negative. Its row is guarded by the lock on the counter.
CREATE FUNCTION note_activity() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER mailing_counters_note_activity AFTER UPDATE ON mailing_counters FOR EACH ROW
  WHEN ((OLD.pending, OLD.sending, OLD.sent, OLD.failed, OLD.expired, OLD.cancelled, OLD.unknown, OLD.bad_attempts)
    IS DISTINCT FROM
    (NEW.pending, NEW.sending, NEW.sent, NEW.failed, NEW.expired, NEW.cancelled, NEW.unknown, NEW.bad_attempts))
  EXECUTE FUNCTION note_activity();

-- Finished mailings can still change: a confirmation may come late, they may be reopened or deleted.
-- Deferred, so that the one row of totals is locked last and for the time of a commit only.
CREATE FUNCTION add_to_totals() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE CONSTRAINT TRIGGER mailing_counters_add_to_totals AFTER UPDATE ON mailing_counters
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.in_totals OR NEW.in_totals)
  EXECUTE FUNCTION add_to_totals();
CREATE CONSTRAINT TRIGGER mailing_counters_take_from_totals AFTER DELETE ON mailing_counters
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.in_totals)
  EXECUTE FUNCTION add_to_totals();

-- An id that the provider has seen must never be given out again, also not by a database that was
-- restored, copied or failed over, and knows nothing of what its former self has sent. So before any
-- rows come, the sequence is brought up to the database's clock: microseconds since 1970. It stays
-- below 2^53 until 2255, and behind the clock as long as fewer than a million messages a second come.
CREATE FUNCTION keep_message_ids_ahead() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  c_slack CONSTANT bigint := 100000; -- a tenth of a second: not every statement has to do this
BEGIN
  IF (SELECT last_value FROM messages_id_seq) >= extract(epoch FROM clock_timestamp()) * 1000000 - c_slack
  THEN RETURN NULL; END IF;
  BEGIN
    -- One at a time, or the slower one would set the sequence back.
    PERFORM pg_advisory_xact_lock(${IDS_LOCK});
    PERFORM setval('messages_id_seq', GREATEST(last_value, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint))
    FROM messages_id_seq;
    -- What is rolled back lets go of its lock at once, and a sequence takes no part in it.
    RAISE EXCEPTION USING ERRCODE = 'PH001';
  EXCEPTION WHEN SQLSTATE 'PH001' THEN NULL;
  END;
  RETURN NULL;
END $$;
CREATE TRIGGER messages_keep_ids_ahead BEFORE INSERT ON messages
  FOR EACH STATEMENT EXECUTE FUNCTION keep_message_ids_ahead();

-- Which mailings have messages for a client. An index of the messages by client would cost planning a
-- third of its speed, for each row of a large mailing goes to another page of it. So of rows that come
-- by the thousand only their neighbourhoods are noted, 256 clients each, with a key below zero: such
-- mailings are few, and to probe one too many costs microseconds. Of fewer rows each client is noted.
CREATE TABLE client_mailings (
  key bigint NOT NULL,
  mailing_id bigint NOT NULL,
  PRIMARY KEY (key, mailing_id)
);
CREATE FUNCTION note_client_mailings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM added) < 1000 THEN
    INSERT INTO client_mailings (key, mailing_id)
    SELECT client_id, mailing_id FROM added ON CONFLICT DO NOTHING;
  ELSE
    INSERT INTO client_mailings (key, mailing_id)
    SELECT DISTINCT -1 - (client_id >> 8), mailing_id FROM added ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER messages_note_client_mailings AFTER INSERT ON messages REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION note_client_mailings();

-- Lists of mailings by name and status, newest first, without reading their texts.
CREATE INDEX mailings_listed ON mailings (id) INCLUDE (name, status) WHERE deleted_at IS NULL;
`;

const DOWN = `
DROP INDEX mailings_listed;
DROP TRIGGER messages_note_client_mailings ON messages;
DROP TABLE client_mailings;
DROP TRIGGER messages_keep_ids_ahead ON messages;
DROP TRIGGER mailing_counters_take_from_totals ON mailing_counters;
DROP TRIGGER mailing_counters_add_to_totals ON mailing_counters;
DROP TRIGGER mailing_counters_note_activity ON mailing_counters;
DROP FUNCTION keep_message_ids_ahead(), note_activity(), add_to_totals(), note_client_mailings();
`;
