import { IDS_LOCK } from '../locks.js';
import type { Repeatable } from './repeatable.js';

/**
 * An id that the provider has seen must never be given out again, also not by a database that was
 * restored, copied or failed over, and does not know what was sent after the copy was made. So before any
 * rows come, the sequence is brought up to the database's clock: microseconds since 1970. It stays
 * below 2^53 until 2255, and behind the clock as long as fewer than a million messages a second come.
 */
export const KEEP_MESSAGE_IDS_AHEAD: Repeatable = {
  name: 'keep-message-ids-ahead',
  functions: ['keep_message_ids_ahead'],
  sql: `
CREATE OR REPLACE FUNCTION keep_message_ids_ahead() RETURNS trigger LANGUAGE plpgsql AS $$
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
    -- A rollback releases the lock at once, and does not undo a sequence.
    RAISE EXCEPTION USING ERRCODE = 'PH001';
  EXCEPTION WHEN SQLSTATE 'PH001' THEN NULL;
  END;
  RETURN NULL;
END $$;
`,
};

/**
 * Which mailings have messages for a client. An index of the messages by client would cost planning a
 * third of its speed, for each row of a large mailing goes to another page of it. So for rows that are stored
 * by the thousand only the groups of 256 clients are noted, with a key below zero: such
 * mailings are few, and a probe of one too many costs microseconds. Of fewer rows each client is noted.
 */
export const NOTE_CLIENT_MAILINGS: Repeatable = {
  name: 'note-client-mailings',
  functions: ['note_client_mailings'],
  sql: `
CREATE OR REPLACE FUNCTION note_client_mailings() RETURNS trigger LANGUAGE plpgsql AS $$
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
`,
};
