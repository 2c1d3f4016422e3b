import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  admin,
  isPgBouncerInstalled,
  type RunningPgBouncer,
  startPgBouncer,
  TEMPLATE_DATABASE,
  TEST_POSTGRES,
  TEST_POSTGRES_15,
} from '@app/testkit';
import pg from 'pg';
import { checkPool } from '../check-database.js';
import { connectionOptions, openSession } from '../data-source.js';
import type { SessionSettings } from './settings.js';

/** What a DBA may have set for a role, each other than what we need; limits that a busy machine keeps. */
const HOSTILE: Record<string, string> = {
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Asia/Tokyo',
  client_encoding: 'WIN1251',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  backslash_quote: 'on',
  array_nulls: 'off',
  transform_null_equals: 'on',
  row_security: 'on',
  search_path: 'nowhere',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  gin_fuzzy_search_limit: '1',
  exit_on_error: 'on',
  synchronous_commit: 'off',
  jit: 'on',
  plan_cache_mode: 'force_generic_plan',
  join_collapse_limit: '1',
  from_collapse_limit: '1',
  client_min_messages: 'debug1',
  statement_timeout: '2s',
  lock_timeout: '1ms',
  idle_in_transaction_session_timeout: '2s',
  idle_session_timeout: '2s',
  ...Object.fromEntries(
    ['hashjoin', 'indexscan', 'indexonlyscan', 'nestloop', 'seqscan', 'sort', 'tidscan'].map(
      (way) => [`enable_${way}`, 'off'],
    ),
  ),
};
/** Settings that not every version knows. */
const OF_SOME_VERSIONS: Record<string, string> = {
  force_parallel_mode: 'on',
  debug_parallel_query: 'on',
  transaction_timeout: '2s',
};

const ROLE = `dba_${process.pid}`;
const DATABASE = `sessions_${process.pid}`;

const servers = [
  { name: 'PostgreSQL 18', admin: process.env[TEST_POSTGRES], pooled: false },
  { name: 'PostgreSQL 15', admin: process.env[TEST_POSTGRES_15], pooled: false },
  { name: 'PgBouncer in session mode', admin: process.env[TEST_POSTGRES], pooled: true },
  { name: 'PgBouncer and PostgreSQL 15', admin: process.env[TEST_POSTGRES_15], pooled: true },
].filter((server) => server.admin !== undefined && (!server.pooled || isPgBouncerInstalled()));

describe.each(servers)('a session of $name', ({ admin: adminUrl = '', pooled }) => {
  let folder: string;
  let bouncer: RunningPgBouncer | undefined;
  let direct: string;
  let url: string;

  beforeAll(async () => {
    await admin(adminUrl, `CREATE ROLE ${ROLE} LOGIN PASSWORD 'posthorn'`);
    await admin(adminUrl, `CREATE DATABASE ${DATABASE} TEMPLATE ${TEMPLATE_DATABASE}`);
    const owner = new URL(adminUrl);
    owner.pathname = `/${DATABASE}`;
    for (const kind of ['TABLES', 'SEQUENCES']) {
      await admin(owner.href, `GRANT ALL ON ALL ${kind} IN SCHEMA public TO ${ROLE}`);
    }
    owner.username = ROLE;
    owner.password = 'posthorn';
    direct = owner.href;
    folder = mkdtempSync(join(tmpdir(), 'posthorn-sessions-'));
    if (pooled) {
      bouncer = await startPgBouncer({ directory: folder, serverUrl: direct, poolMode: 'session' });
    }
    url = bouncer?.url(direct) ?? direct;
  });
  afterAll(async () => {
    await bouncer?.stop();
    rmSync(folder, { recursive: true, force: true });
    await admin(adminUrl, `DROP DATABASE ${DATABASE} WITH (FORCE)`);
    await admin(adminUrl, `DROP ROLE ${ROLE}`);
  });
  afterEach(async () => {
    await admin(adminUrl, `ALTER ROLE ${ROLE} RESET ALL`);
  });

  async function settingsOf(
    client: pg.ClientBase,
    names: string[],
  ): Promise<Record<string, string>> {
    const { rows } = await client.query<{ name: string; setting: string }>(
      'SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY ($1)',
      [names],
    );
    return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
  }

  async function prepared(settings: SessionSettings, names: string[]) {
    const client = await openSession(url, 'test', settings);
    try {
      return await settingsOf(client, names);
    } finally {
      await client.end();
    }
  }

  async function raw(names: string[]) {
    const client = new pg.Client({ connectionString: direct });
    await client.connect();
    const settings = await settingsOf(client, names);
    await client.end();
    return settings;
  }

  async function makeHostile(settings: Record<string, string>): Promise<string[]> {
    const known = Object.keys(await raw(Object.keys(settings)));
    for (const name of known) {
      await admin(adminUrl, `ALTER ROLE ${ROLE} SET ${name} = '${settings[name]}'`);
    }
    await endPooledSessions();
    return known;
  }

  /**
   * Sessions that the pooler kept have the settings of their beginning. Waits until they have ended:
   * one that is ending would be given to the next client, and be lost with "invalid server parameter".
   */
  async function endPooledSessions(): Promise<void> {
    await admin(
      adminUrl,
      `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = '${ROLE}'`,
    );
  }

  it.each([
    ['as the engine has it', { avoidSequentialScans: true }],
    ['as the api has it', { statementTimeoutMs: 10_000 }],
    ['that only reads', { readOnly: true, ownSession: true }],
  ])('is the same whatever is set on the role, %s', async (_, settings) => {
    const all = { ...HOSTILE, ...OF_SOME_VERSIONS };
    const wanted = await prepared(settings, Object.keys(all));
    const known = await makeHostile(all);
    expect(known.length).toBeGreaterThanOrEqual(Object.keys(HOSTILE).length);
    expect(await prepared(settings, known)).toEqual(wanted);

    const hostile = await raw(known);
    const overruled = known.filter((name) => hostile[name] !== wanted[name]);
    // Those that the driver itself sends, that read-only sessions want, or that engine and role share.
    expect(known.length - overruled.length).toBeLessThanOrEqual(2);
  });

  it('gives a pool no connection before it is prepared', async () => {
    await makeHostile({ DateStyle: 'SQL, DMY', IntervalStyle: 'sql_standard' });
    const pool = new pg.Pool({ ...connectionOptions(url, 'test'), max: 4 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        pool.query<{ at: string }>(
          `SELECT '2026-11-26'::date::text || ' ' || '1 day'::interval AS at`,
        ),
      ),
    );
    await pool.end();
    expect(new Set(answers.map(({ rows }) => rows[0]?.at))).toEqual(new Set(['2026-11-26 1 day']));
  });

  it('is refused, with the reason, where the database was closed for writing', async () => {
    await admin(adminUrl, `ALTER DATABASE ${DATABASE} SET default_transaction_read_only = on`);
    await endPooledSessions();
    try {
      await expect(openSession(url, 'test')).rejects.toThrow(
        'the database is read-only: default_transaction_read_only is on',
      );
    } finally {
      await admin(adminUrl, `ALTER DATABASE ${DATABASE} RESET default_transaction_read_only`);
      await endPooledSessions();
    }
  });

  it('is given up by its pool when the server takes no writes any more', async () => {
    const pool = new pg.Pool({ ...connectionOptions(url, 'test'), max: 1 });
    try {
      const session = await pool.connect();
      await session.query('BEGIN READ ONLY');
      await expect(session.query('DELETE FROM reports')).rejects.toMatchObject({ code: '25006' });
      await session.query('ROLLBACK').catch(() => undefined);
      session.release();
      expect(pool.totalCount).toBe(0);
      await expect(pool.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
    } finally {
      await pool.end();
    }
  });

  it('is not ready without our schema, and says why', async () => {
    const empty = new URL(direct);
    empty.pathname = '/template1';
    const pool = new pg.Pool({
      ...connectionOptions(bouncer?.url(empty.href) ?? empty.href, 'test'),
    });
    await expect(checkPool(pool)).rejects.toThrow('the schema is missing: run `npm run migrate`');
    await pool.end();
  });

  it('is refused in a database that is not UTF-8', async () => {
    const name = `${DATABASE}_win`;
    const legacy = `ENCODING 'WIN1251' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`;
    await admin(adminUrl, `CREATE DATABASE ${name} ${legacy}`);
    const other = new URL(direct);
    other.pathname = `/${name}`;
    await expect(openSession(bouncer?.url(other.href) ?? other.href, 'test')).rejects.toThrow(
      'the database has the encoding WIN1251: it must be UTF8',
    );
    await admin(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
  });
});

const needsPgBouncer = isPgBouncerInstalled() ? describe : describe.skip;
needsPgBouncer('PgBouncer in transaction mode', () => {
  let folder: string;
  let bouncer: RunningPgBouncer;
  const adminUrl = process.env[TEST_POSTGRES] ?? '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-sessions-'));
    bouncer = await startPgBouncer({
      directory: folder,
      serverUrl: adminUrl,
      poolMode: 'transaction',
    });
  });
  afterAll(async () => {
    await bouncer.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is refused when it loses prepared statements, with what to do', async () => {
    await expect(openSession(bouncer.url(adminUrl), 'test')).rejects.toThrow(
      'the connection pooler is in transaction mode and loses prepared statements (PgBouncer before 1.21, ' +
        'or max_prepared_statements = 0): use pool_mode = session for this database',
    );
  });

  it('is refused while others use it, too', async () => {
    const others = Array.from({ length: 6 }, async () => {
      const client = new pg.Client({ connectionString: bouncer.url(adminUrl) });
      await client.connect();
      for (let i = 0; i < 200; i++) await client.query('SELECT 1');
      await client.end();
    });
    await expect(openSession(bouncer.url(adminUrl), 'test')).rejects.toThrow('transaction mode');
    await Promise.all(others);
  });
});
