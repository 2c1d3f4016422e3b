import pg from 'pg';

export const ZONES = [
  'Europe/Kaliningrad',
  'Europe/Moscow',
  'Europe/Samara',
  'Asia/Yekaterinburg',
  'Asia/Omsk',
  'Asia/Novosibirsk',
  'Asia/Irkutsk',
  'Asia/Yakutsk',
  'Asia/Vladivostok',
  'Asia/Kamchatka',
  'Europe/Berlin',
  'America/New_York',
];

/**
 * Sees to it that exactly `count` clients carry the tag, and returns its name. Sample clients are
 * the same in every run, so a second run adds only those that are missing. By SQL, as the service
 * has to live with clients that others insert.
 */
export async function loadSampleClients(databaseUrl: string, count: number): Promise<string> {
  const tag = `demo-${count}`;
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(INSERT_CLIENTS, [count, ZONES]);
    await client.query('INSERT INTO tags (name) VALUES ($1) ON CONFLICT DO NOTHING', [tag]);
    await client.query(UNTAG_OTHERS, [tag, count]);
    await client.query(TAG_CLIENTS, [tag, count]);
    // So that the planner knows about rows that came in one sweep.
    await client.query('ANALYZE clients, client_tags');
  } finally {
    await client.end();
  }
  return tag;
}

/** `79` and nine digits; the operator codes 900 to 999 take turns. */
const PHONES = `
  SELECT i, '79' || lpad((i % 100)::text, 2, '0') || lpad((i / 100)::text, 7, '0') AS phone
  FROM generate_series(0, $COUNT::int - 1) i`;

const INSERT_CLIENTS = `
  INSERT INTO clients (phone, operator_code, timezone)
  SELECT p.phone, substr(p.phone, 2, 3), ($2::text[])[1 + p.i % cardinality($2::text[])]
  FROM (${PHONES.replace('$COUNT', '$1')}) p
  ORDER BY p.i
  ON CONFLICT (phone) DO NOTHING`;

const TAG_CLIENTS = `
  INSERT INTO client_tags (client_id, tag_id)
  SELECT c.id, t.id
  FROM (${PHONES.replace('$COUNT', '$2')}) p
  JOIN clients c ON c.phone = p.phone
  JOIN tags t ON t.name = $1
  ON CONFLICT DO NOTHING`;

/** Somebody may have used the tag meanwhile. */
const UNTAG_OTHERS = `
  DELETE FROM client_tags ct USING tags t
  WHERE t.name = $1 AND ct.tag_id = t.id AND NOT EXISTS (
    SELECT FROM clients c JOIN (${PHONES.replace('$COUNT', '$2')}) p ON p.phone = c.phone
    WHERE c.id = ct.client_id)`;
