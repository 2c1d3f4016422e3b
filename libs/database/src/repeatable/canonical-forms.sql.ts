import { CANONICAL_TIMEZONES, TIMEZONE_RELEASE, WHITE_SPACE } from '@app/platform';
import type { Repeatable } from './repeatable.js';

/** What `trim` takes from the ends of a text, as the database writes it. */
const BLANKS = `E'${WHITE_SPACE.map((blank) => `\\u${blank.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}'`;

/** Functions and triggers that bring names, also those written by plain SQL, to their canonical form. */
export const CANONICAL_FORMS: Repeatable = {
  name: 'canonical-forms',
  functions: ['set_client_zone', 'canonical_timezone', 'set_tag_name'],
  sql: `
-- Null for what is no timezone. The server's own list comes last, for it reads a file for each name.
CREATE OR REPLACE FUNCTION canonical_timezone(given text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  wanted text := lower(btrim(given, ${BLANKS}) COLLATE "C");
  found text;
BEGIN
  SELECT t.name INTO found FROM timezone_names t WHERE t.spelling = wanted;
  IF found IS NULL THEN
    SELECT p.name INTO found FROM pg_timezone_names p
    WHERE lower(p.name COLLATE "C") = wanted
      AND wanted !~ '^(posix/|right/|posixrules$|localtime$|factory$)';
  END IF;
  RETURN found;
END $$;

CREATE OR REPLACE FUNCTION set_client_zone() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  given text := NEW.timezone;
BEGIN
  SELECT id INTO NEW.zone_id FROM zones WHERE name = given;
  IF NEW.zone_id IS NULL THEN
    NEW.timezone := canonical_timezone(given);
    IF NEW.timezone IS NULL THEN
      RAISE EXCEPTION 'There is no timezone "%"', given USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT id INTO NEW.zone_id FROM zones WHERE name = NEW.timezone;
  END IF;
  IF NEW.zone_id IS NULL THEN
    INSERT INTO zones (name) VALUES (NEW.timezone) ON CONFLICT (name) DO NOTHING;
    SELECT id INTO NEW.zone_id FROM zones WHERE name = NEW.timezone;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION set_tag_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.name := btrim(normalize(NEW.name, NFC), ${BLANKS});
  RETURN NEW;
END $$;
`,
};

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** The names of the timezones, of the release that this version knows. */
export const TIMEZONE_NAMES: Repeatable = {
  name: 'timezone-names',
  functions: [],
  sql: `
DELETE FROM timezone_names;
INSERT INTO timezone_names (spelling, name) VALUES
${[...CANONICAL_TIMEZONES].map((names) => `  (${names.map(literal).join(', ')})`).join(',\n')};
COMMENT ON TABLE timezone_names IS ${literal(`IANA time zone database, release ${TIMEZONE_RELEASE}`)};
`,
};
