import { CANONICAL_TIMEZONES, TIMEZONE_RELEASE, WHITE_SPACE } from '@app/platform';

/** What `trim` takes from the ends of a text, as the database writes it. */
const BLANKS = `E'${WHITE_SPACE.map((blank) => `\\u${blank.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}'`;

/** What brings the names that somebody else writes into the tables to their one form. */
export const CANONICAL_FORMS = `
-- Every name that the IANA database has for a timezone, in lower case, and the one that stands for it.
CREATE TABLE timezone_names (
  spelling text NOT NULL PRIMARY KEY,
  name text NOT NULL
);
COMMENT ON TABLE timezone_names IS 'IANA time zone database, release ${TIMEZONE_RELEASE}';

-- Null for what is no timezone. The server's own list comes last, for it reads a file for each name.
CREATE FUNCTION canonical_timezone(given text) RETURNS text LANGUAGE plpgsql STABLE AS $$
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

CREATE FUNCTION set_client_zone() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE FUNCTION set_tag_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.name := btrim(normalize(NEW.name, NFC), ${BLANKS});
  RETURN NEW;
END $$;
`;

export const DROP_CANONICAL_FORMS = `
DROP TABLE timezone_names;
DROP FUNCTION set_client_zone(), canonical_timezone(text), set_tag_name();
`;

export function fillTimezoneNames(): [statement: string, values: unknown[]] {
  return [
    'INSERT INTO timezone_names (spelling, name) SELECT * FROM unnest($1::text[], $2::text[])',
    [[...CANONICAL_TIMEZONES.keys()], [...CANONICAL_TIMEZONES.values()]],
  ];
}
