import type { EventEmitter } from 'node:events';
import type pg from 'pg';
import { forgetPooling, poolingOf, processIdOf } from './pooling.js';
import { IS_READ_ONLY, IS_STANDBY, UnusableDatabase } from './unusable-database.js';

/**
 * The one place that says what a session of the database depends on. Whatever a role, a database or
 * a server sets is overruled here, and read back, before the first statement of ours runs.
 */

/** What changes the meaning of a statement or the shape of its result. */
const MEANING: Record<string, string> = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  array_nulls: 'on',
  transform_null_equals: 'off',
  // With `off` a policy that would hide rows is an error; with `on` they would be silently missing.
  row_security: 'off',
  search_path: 'public',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  gin_fuzzy_search_limit: '0',
  exit_on_error: 'off',
};

/** What changes the time that a statement takes, and no more. */
const EFFORT: Record<string, string> = {
  // Compiling costs more than our statements take: a seventh of the throughput.
  jit: 'off',
  plan_cache_mode: 'auto',
  join_collapse_limit: '8',
  from_collapse_limit: '8',
  force_parallel_mode: 'off', // until 15
  debug_parallel_query: 'off', // from 16 on
  client_min_messages: 'warning',
  lock_timeout: '0',
  idle_session_timeout: '0',
  transaction_timeout: '0', // from 17 on
};

/** What only a superuser may change, and so is only looked at: triggers and foreign keys work. */
const LOOKED_AT: Record<string, string> = { session_replication_role: 'origin' };

const OLDEST_SERVER = 150_000;
/** A server that says nothing at the beginning of a session is away, ms. */
const PREPARE_LIMIT_MS = 3_000;
/** SQLSTATE read_only_sql_transaction. */
const TAKES_NO_WRITES = '25006';

export interface SessionSettings {
  /**
   * The longest that a statement may take, ms; a connection that stays silent for two seconds longer
   * is taken for dead. Default 20 s.
   */
  statementTimeoutMs?: number;
  /** A transaction that its process forgot must not hold locks. Default 5 s; 0: no limit. */
  idleInTransactionMs?: number;
  /**
   * For the engine, whose plans are made while the tables are still empty, and are then kept: its
   * statements all find their rows by index.
   */
  avoidSequentialScans?: boolean;
  /** The server lets this session write nothing. */
  readOnly?: boolean;
  /** It keeps a lock, listens, or writes elsewhere: a pooler may not give its server to others. */
  ownSession?: boolean;
  /** More settings, which win. Those that this server does not know are left out. */
  more?: Record<string, string>;
}

/** No statement of ours takes longer; the server ends it and the connection stays usable. */
export const STATEMENT_TIMEOUT_MS = 20_000;
const IDLE_IN_TRANSACTION_MS = 5_000;

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
  if (!settings.readOnly) loseWhenReadOnly(client);
}

const NEEDS_A_SESSION =
  'the connection pooler is in transaction mode, and this connection needs a session of its own: set ' +
  'DATABASE_DIRECT_URL, and QUEUE_URL if the queue is in PostgreSQL, to the server itself';
const SET_ON_THE_ROLE =
  'is not what we need, and cannot be set through a connection pooler in transaction mode: ' +
  'ALTER ROLE … SET it';

function wantedSettings({
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
  idleInTransactionMs = IDLE_IN_TRANSACTION_MS,
  avoidSequentialScans = false,
  readOnly = false,
  more = {},
}: SessionSettings): Record<string, string> {
  return {
    ...MEANING,
    ...EFFORT,
    statement_timeout: duration(statementTimeoutMs),
    idle_in_transaction_session_timeout: duration(idleInTransactionMs),
    ...(avoidSequentialScans && { enable_seqscan: 'off' }),
    ...(readOnly && { default_transaction_read_only: 'on' }),
    ...more,
  };
}

/** As the server writes it, so that what is read back can be compared. */
function duration(ms: number): string {
  if (ms === 0) return '0';
  const units = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000 };
  const unit = Object.entries(units).find(([, size]) => ms % size === 0);
  return unit ? `${ms / unit[1]}${unit[0]}` : `${ms}ms`;
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/**
 * The statements' limit first, alone: a role's own may be too short for the rest. No backslash
 * anywhere, for all is parsed before `standard_conforming_strings` is set.
 */
function pinning(wanted: Record<string, string>, { readOnly }: SessionSettings): string {
  const values = Object.entries(wanted).map(([n, value]) => `(${literal(n)}, ${literal(value)})`);
  return `
SET statement_timeout = ${literal(wanted.statement_timeout ?? '0')};
SELECT pg_catalog.set_config(name, boot_val, false) FROM pg_catalog.pg_settings
WHERE pg_catalog.left(name, 7) = 'enable_' AND setting <> boot_val;
${readOnly ? '' : WRITE_DESPITE_THE_ROLE}
SELECT pg_catalog.set_config('synchronous_commit', 'on', false)
WHERE pg_catalog.current_setting('synchronous_commit') = 'off';
SELECT pg_catalog.set_config(name, value, false) FROM (VALUES ${values.join(', ')}) AS w (name, value)
WHERE pg_catalog.current_setting(name, true) IS NOT NULL;`;
}

/**
 * A role that only reads by default is overruled. A server or a database that does was closed for
 * writing on purpose (its disk is full, it moves), which holds for us too.
 */
const WRITE_DESPITE_THE_ROLE = `
SELECT pg_catalog.set_config(name, 'off', false) FROM pg_catalog.pg_settings
WHERE name = 'default_transaction_read_only' AND setting = 'on' AND source IN ('user', 'database user');`;

interface Found {
  processId: number;
  encoding: string;
  version: number;
  standby: boolean;
  /** Null: this server does not know the setting. */
  settings: Record<string, string | null>;
}

const READ_ONLY = 'default_transaction_read_only';

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
  if (!found) throw new UnusableDatabase('the database says nothing about its settings');
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
 * A server that answers but takes no writes has been demoted or closed: whoever goes on with the same
 * connection stays with it for ever, while another server may have become the one that writes.
 */
function loseWhenReadOnly(client: pg.ClientBase): void {
  const { connection } = client as unknown as { connection: EventEmitter };
  const end = () => (client as unknown as { end(): Promise<void> }).end().catch(() => undefined);
  connection.on('errorMessage', ({ code }: { code?: string }) => {
    if (code === TAKES_NO_WRITES) void end();
  });
}
