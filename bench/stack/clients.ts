import pg from 'pg';

/** Clients with this operator code get the mailing that warms everything up. */
export const WARM_UP_CODE = '900';
export const WARM_UP_CLIENTS = 1_000;

/** All other clients are spread over these. */
const CODES = Array.from({ length: 99 }, (_, index) => String(901 + index));

const ZONES = [
  'Europe/Kaliningrad',
  'Europe/Moscow',
  'Europe/Samara',
  'Asia/Yekaterinburg',
  'Asia/Omsk',
  'Asia/Krasnoyarsk',
  'Asia/Irkutsk',
  'Asia/Vladivostok',
];

/** Operator codes that at least so many of all clients have, beside the ones for warming up. */
export function codesOf(count: number, clients: number): string[] {
  const each = (clients - WARM_UP_CLIENTS) / CODES.length;
  return CODES.slice(0, Math.ceil(count / each));
}

/** The numbers of the last so many of all clients. */
export function lastPhones(count: number, clients: number): string[] {
  return Array.from(
    { length: count },
    (_, index) => `79${String(clients - index).padStart(9, '0')}`,
  );
}

/** Fills an empty directory by SQL: 100 operator codes, eight timezones. */
export async function addClients(databaseUrl: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO clients (phone, operator_code, timezone)
       SELECT '79' || lpad(i::text, 9, '0'),
         CASE WHEN i <= $2::int THEN $3::text ELSE ($4::text[])[1 + i % $5::int] END,
         ($6::text[])[1 + i % $7::int]
       FROM generate_series(1, $1::int) i`,
      [count, WARM_UP_CLIENTS, WARM_UP_CODE, CODES, CODES.length, ZONES, ZONES.length],
    );
    await client.query('VACUUM ANALYZE clients');
  } finally {
    await client.end();
  }
}
