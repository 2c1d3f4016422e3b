import type { EventEmitter } from 'node:events';
import type pg from 'pg';
import { forgetPooling, poolingOf, processIdOf } from './pooling.js';
import {
  literal,
  LOOKED_AT,
  MEANING,
  pinning,
  READ_ONLY,
  type SessionSettings,
  wantedSettings,
} from './settings.js';
import { IS_READ_ONLY, IS_STANDBY, UnusableDatabase } from '../unusable-database.js';

const OLDEST_SERVER = 150_000;
/** A server that is silent for longer at the beginning of a session counts as unreachable, ms. */
const PREPARE_LIMIT_MS = 3_000;
/** SQLSTATE read_only_sql_transaction. */
const TAKES_NO_WRITES = '25006';

/**
 * Pins every setting that we depend on and reads all of them back. To be awaited before the first
 * statement of a new connection.
 *
 * @throws UnusableDatabase when the session is not what we need, with words for an operator.
 */
export async function prepareSession(
  client: pg.ClientBase,
  url: string,
  settings: SessionSettings = {},
): Promise<void> {
  const pooling = await poolingOf(url);
  const wanted = wantedSettings(settings);
  if (pooling === 'transaction') {
    if (settings.ownSession)
      throw new UnusableDatabase(NEEDS_A_SESSION, { code: 'pooler_unusable' });
    // Other clients run on the same server session, now and later: nothing can be set.
    refuseOther(await readBack(client, Object.keys(MEANING)), MEANING, SET_ON_THE_ROLE);
  } else {
    const found = await readBack(client, Object.keys(wanted), pinning(wanted, settings));
    if (pooling === 'none' && found.processId !== processIdOf(client)) {
      forgetPooling(url);
      throw new UnusableDatabase('a connection pooler came between us and the database', {
        code: 'pooler_unusable',
      });
    }
    refuseOther(found, wanted, 'is not what was set');
    // Through a pooler the next statement might be another session's.
    if (pooling === 'session') {
      refuseOther(await readBack(client, Object.keys(wanted)), wanted, 'was forgotten at once');
    }
  }
  if (!settings.readOnly) closeWhenReadOnly(client);
}

const NEEDS_A_SESSION =
  'the connection pooler is in transaction mode, and this connection needs a session of its own: set ' +
  'DATABASE_DIRECT_URL, and QUEUE_URL if the queue is in PostgreSQL, to the server itself';
const SET_ON_THE_ROLE =
  'is not what we need, and cannot be set through a connection pooler in transaction mode: ' +
  'ALTER ROLE … SET it';

interface Found {
  processId: number;
  encoding: string;
  version: number;
  standby: boolean;
  /** Null: this server does not know the setting. */
  settings: Record<string, string | null>;
}

async function readBack(client: pg.ClientBase, names: string[], before = ''): Promise<Found> {
  const all = [...new Set([...names, ...Object.keys(LOOKED_AT), READ_ONLY])];
  const query = {
    text: `${before}
SELECT pg_catalog.pg_backend_pid() AS "processId",
  pg_catalog.current_setting('server_encoding') AS encoding,
  pg_catalog.current_setting('server_version_num')::int AS version,
  pg_catalog.pg_is_in_recovery() AS standby,
  (SELECT pg_catalog.json_object_agg(name, pg_catalog.current_setting(name, true))
   FROM (VALUES ${all.map((name) => `(${literal(name)})`).join(', ')}) AS w (name)) AS settings`,
    query_timeout: PREPARE_LIMIT_MS,
  };
  // Several statements have several results, which the driver's types do not know.
  const results: unknown = await client.query<Found>(query);
  const last = (Array.isArray(results) ? results.at(-1) : results) as pg.QueryResult<Found>;
  const [found] = last.rows;
  if (!found) throw new UnusableDatabase('the database does not tell its settings');
  return found;
}

/** @throws UnusableDatabase that says what is not as wanted. */
function refuseOther(found: Found, wanted: Record<string, string>, why: string): void {
  const { encoding, version, standby, settings } = found;
  if (version < OLDEST_SERVER) {
    throw new UnusableDatabase(`PostgreSQL 15 or newer is needed, this is ${version / 10_000}`, {
      code: 'postgres_too_old',
    });
  }
  if (encoding !== 'UTF8') {
    throw new UnusableDatabase(
      `the database has the encoding ${encoding}: it must be UTF8 (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)`,
      { code: 'encoding_not_utf8' },
    );
  }
  const other = Object.entries({ ...wanted, ...LOOKED_AT }).filter(
    ([name, value]) => (settings[name] ?? value) !== value,
  );
  if (other.length > 0) {
    const list = other.map(([name, value]) => `${name} = ${settings[name] ?? ''}, not ${value}`);
    throw new UnusableDatabase(`a setting of the session ${why}: ${list.join('; ')}`);
  }
  if (wanted[READ_ONLY] !== 'on' && (standby || settings[READ_ONLY] === 'on')) {
    throw new UnusableDatabase(standby ? IS_STANDBY : IS_READ_ONLY, { code: 'database_read_only' });
  }
}

/**
 * A server that answers but takes no writes has been demoted or closed: a process that keeps the same
 * connection stays with it for ever, while another server may have become the primary.
 */
function closeWhenReadOnly(client: pg.ClientBase): void {
  const { connection } = client as unknown as { connection: EventEmitter };
  const end = () => (client as unknown as { end(): Promise<void> }).end().catch(() => undefined);
  connection.on('errorMessage', ({ code }: { code?: string }) => {
    if (code === TAKES_NO_WRITES) void end();
  });
}
