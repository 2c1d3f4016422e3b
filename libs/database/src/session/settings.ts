/**
 * The one place that says what a session of the database depends on. It overrules what a role, a
 * database or a server sets; `prepareSession` reads it back before our first statement.
 */

/** What changes the meaning of a statement or the shape of its result. */
export const MEANING: Record<string, string> = {
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
export const LOOKED_AT: Record<string, string> = { session_replication_role: 'origin' };

export const READ_ONLY = 'default_transaction_read_only';

export interface SessionSettings {
  /**
   * The longest that a statement may take, ms; a connection that stays silent for two seconds longer
   * counts as lost. Default 20 s.
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

export function wantedSettings({
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

export const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/**
 * The statements' limit first, alone: a role's own may be too short for the rest. No backslash
 * anywhere, for all is parsed before `standard_conforming_strings` is set.
 */
export function pinning(wanted: Record<string, string>, { readOnly }: SessionSettings): string {
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
