import pg from 'pg';
import { UnusableDatabase } from '../unusable-database.js';

/**
 * What stands between us and the server: nothing, a pooler that gives each client a server session
 * of its own, or one that gives it for a transaction only (and keeps prepared statements).
 */
export type Pooling = 'none' | 'session' | 'transaction';

const LIMIT_MS = 3_000;
const LOOKS = 5;
/** SQLSTATEs of a server session that has never heard of the statement, or knows it already. */
const STATEMENT_LOST = new Set(['26000', '42P05', '08P01']);

const known = new Map<string, Promise<Pooling>>();

/**
 * Found out by two connections of its own, once per process and URL.
 *
 * @throws UnusableDatabase for a pooler that loses prepared statements.
 */
export function poolingOf(url: string): Promise<Pooling> {
  const before = known.get(url);
  if (before) return before;
  const found = findOut(url);
  known.set(url, found);
  found.catch(() => {
    forgetPooling(url);
  });
  return found;
}

export function forgetPooling(url: string): void {
  known.delete(url);
}

/** The process id that the server gave at the beginning; a pooler makes one up. */
export function processIdOf(client: pg.ClientBase): number | null {
  return (client as unknown as { processID: number | null }).processID;
}

async function findOut(url: string): Promise<Pooling> {
  const first = probe(url);
  const second = probe(url);
  try {
    await first.connect();
    const processId = await backendOf(first);
    if (processId === processIdOf(first)) return 'none';
    await second.connect();
    return await poolingBehind(first, second, processId);
  } finally {
    for (const client of [first, second]) void client.end().catch(() => undefined);
  }
}

/** While the second connection holds a server session, the first one is asked where it is. */
async function poolingBehind(
  first: pg.Client,
  second: pg.Client,
  processId: number,
): Promise<Pooling> {
  let last = processId;
  let isShared = false;
  for (let look = 0; look < LOOKS; look++) {
    await second.query('BEGIN');
    isShared ||= (await backendOf(second)) === last;
    const now = await backendOf(first);
    isShared ||= now !== last;
    last = now;
    await second.query('ROLLBACK');
  }
  return isShared ? 'transaction' : 'session';
}

function probe(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'posthorn-probe',
    connectionTimeoutMillis: LIMIT_MS,
    query_timeout: LIMIT_MS,
  });
  client.on('error', () => undefined);
  return client;
}

/** The server process that a statement reaches; prepared once per connection, as ours are. */
async function backendOf(client: pg.Client): Promise<number> {
  try {
    const { rows } = await client.query<{ pid: number }>({
      name: 'posthorn-backend',
      text: 'SELECT pg_catalog.pg_backend_pid() AS pid',
    });
    return rows[0]?.pid ?? 0;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined || !STATEMENT_LOST.has(code)) throw error;
    throw new UnusableDatabase(LOSES_STATEMENTS, {
      code: 'pooler_unusable',
      cause: error,
    });
  }
}

const LOSES_STATEMENTS =
  'the connection pooler is in transaction mode and loses prepared statements (PgBouncer before 1.21, ' +
  'or max_prepared_statements = 0): use pool_mode = session for this database';
