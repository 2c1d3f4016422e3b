import pg from 'pg';

/** Clients with this operator code get the mailing that warms everything up. */
export const WARM_UP_CODE = '900';
export const WARM_UP_CLIENTS = 1_000;

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
         CASE WHEN i <= $2::int THEN $3::text ELSE (901 + i % 99)::text END,
         ($4::text[])[1 + i % $5::int]
       FROM generate_series(1, $1::int) i`,
      [count, WARM_UP_CLIENTS, WARM_UP_CODE, ZONES, ZONES.length],
    );
    await client.query('VACUUM ANALYZE clients');
  } finally {
    await client.end();
  }
}
