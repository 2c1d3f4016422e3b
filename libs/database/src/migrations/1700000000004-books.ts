import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ADD_TO_TOTALS, NOTE_ACTIVITY } from '../repeatable/books.sql.js';
import { forget } from '../repeatable/repeatable.js';

/** How many messages of each mailing are in each state, when they got there, and why attempts failed. */
export class Books1700000000004 implements MigrationInterface {
  readonly name = 'Books1700000000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
    await runner.query(NOTE_ACTIVITY.sql);
    await runner.query(ADD_TO_TOTALS.sql);
    await runner.query(TRIGGERS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
    await forget(runner, NOTE_ACTIVITY, ADD_TO_TOTALS);
  }
}

const UP = `
CREATE TABLE mailing_counters (
  mailing_id bigint NOT NULL PRIMARY KEY,
  total bigint NOT NULL DEFAULT 0,
  pending bigint NOT NULL DEFAULT 0,
  sending bigint NOT NULL DEFAULT 0,
  sent bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0,
  expired bigint NOT NULL DEFAULT 0,
  cancelled bigint NOT NULL DEFAULT 0,
  unknown bigint NOT NULL DEFAULT 0,
  repeated bigint NOT NULL DEFAULT 0,
  bad_attempts bigint NOT NULL DEFAULT 0,
  planned boolean NOT NULL DEFAULT false,
  in_totals boolean NOT NULL DEFAULT false,
  next_send_at timestamptz,
  CONSTRAINT mailing_counters_add_up CHECK (
    total = pending + sending + sent + failed + expired + cancelled + unknown),
  CONSTRAINT mailing_counters_not_negative CHECK (
    LEAST(total, pending, sending, sent, failed, expired, cancelled, unknown, repeated, bad_attempts) >= 0)
) WITH (fillfactor = 20, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX mailing_counters_unfinished ON mailing_counters (mailing_id) WHERE NOT in_totals;

-- The sum of the counters of all finished mailings: general statistics read it and the unfinished.
CREATE TABLE mailing_totals (
  id int PRIMARY KEY,
  mailings bigint NOT NULL DEFAULT 0,
  total bigint NOT NULL DEFAULT 0,
  pending bigint NOT NULL DEFAULT 0,
  sending bigint NOT NULL DEFAULT 0,
  sent bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0,
  expired bigint NOT NULL DEFAULT 0,
  cancelled bigint NOT NULL DEFAULT 0,
  unknown bigint NOT NULL DEFAULT 0,
  repeated bigint NOT NULL DEFAULT 0,
  CONSTRAINT mailing_totals_single CHECK (id = 1)
) WITH (fillfactor = 20);
INSERT INTO mailing_totals (id) VALUES (1);

CREATE TABLE mailing_activity (
  mailing_id bigint NOT NULL,
  minute timestamptz NOT NULL,
  pending int NOT NULL DEFAULT 0,
  sending int NOT NULL DEFAULT 0,
  sent int NOT NULL DEFAULT 0,
  failed int NOT NULL DEFAULT 0,
  expired int NOT NULL DEFAULT 0,
  cancelled int NOT NULL DEFAULT 0,
  unknown int NOT NULL DEFAULT 0,
  bad_attempts int NOT NULL DEFAULT 0,
  PRIMARY KEY (mailing_id, minute)
) WITH (fillfactor = 50);
CREATE INDEX mailing_activity_minute ON mailing_activity (minute);

CREATE TABLE mailing_errors (
  mailing_id bigint NOT NULL,
  hour timestamptz NOT NULL,
  code text NOT NULL,
  attempts bigint NOT NULL DEFAULT 0,
  detail text,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (mailing_id, hour, code)
) WITH (fillfactor = 50);
CREATE INDEX mailing_errors_hour ON mailing_errors (hour);
`;

// After their functions, which come after the table: one names the type of its rows.
const TRIGGERS = `
CREATE TRIGGER mailing_counters_note_activity AFTER UPDATE ON mailing_counters FOR EACH ROW
  WHEN ((OLD.pending, OLD.sending, OLD.sent, OLD.failed, OLD.expired, OLD.cancelled, OLD.unknown, OLD.bad_attempts)
    IS DISTINCT FROM
    (NEW.pending, NEW.sending, NEW.sent, NEW.failed, NEW.expired, NEW.cancelled, NEW.unknown, NEW.bad_attempts))
  EXECUTE FUNCTION note_activity();
CREATE CONSTRAINT TRIGGER mailing_counters_add_to_totals AFTER UPDATE ON mailing_counters
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.in_totals OR NEW.in_totals)
  EXECUTE FUNCTION add_to_totals();
CREATE CONSTRAINT TRIGGER mailing_counters_take_from_totals AFTER DELETE ON mailing_counters
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.in_totals)
  EXECUTE FUNCTION add_to_totals();
`;

const DOWN = `
DROP TABLE mailing_errors, mailing_activity, mailing_totals, mailing_counters;
`;
