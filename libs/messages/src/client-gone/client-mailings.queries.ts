/**
 * As SQL: the ids of all mailings that may have a message for the client `$1`, each once, newest first.
 * A few of them have none: those planned in large pieces that reached a client of the same group of 256.
 * `client_mailings` has been written by the trigger on the messages, see NOTE_CLIENT_MAILINGS.
 */
export const MAILINGS_OF_CLIENT = `
  SELECT mailing_id FROM client_mailings WHERE key = $1
  UNION ALL
  SELECT c.mailing_id FROM client_mailings c WHERE c.key = -1 - ($1::bigint >> 8) AND NOT EXISTS (
    SELECT FROM client_mailings e WHERE e.key = $1 AND e.mailing_id = c.mailing_id)`;
