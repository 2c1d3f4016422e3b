import type pg from 'pg';
import { MIGRATIONS } from './data-source.js';
import type { Queryable } from './queryable.js';
import { REPEATABLES } from './repeatable/index.js';
import { hashOf } from './repeatable/repeatable.js';
import { IS_READ_ONLY, IS_STANDBY, UnusableDatabase } from './unusable-database.js';

interface State {
  standby: boolean;
  readOnly: boolean;
  hasMigrations: boolean;
}

/**
 * Whether the database can be used, not only whether it answers.
 *
 * @throws UnusableDatabase when it takes no writes, or when the schema is missing or older than we are.
 */
export async function checkDatabase(db: Queryable): Promise<void> {
  const { rows } = await db.query<State>({
    text: `SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS "readOnly",
      to_regclass('migrations') IS NOT NULL AS "hasMigrations"`,
  });
  const [state] = rows;
  if (state?.standby) throw new UnusableDatabase(IS_STANDBY, { code: 'database_read_only' });
  if (state?.readOnly) throw new UnusableDatabase(IS_READ_ONLY, { code: 'database_read_only' });
  const done = state?.hasMigrations ? await readMigrations(db) : new Set();
  const missing = MIGRATIONS.map(({ name }) => name).filter((name) => !done.has(name));
  if (missing.length === MIGRATIONS.length) {
    throw new UnusableDatabase('the schema is missing: run `npm run migrate`', {
      code: 'schema_missing',
    });
  }
  if (missing.length > 0) {
    throw new UnusableDatabase(`the schema lacks ${missing.join(', ')}: run \`npm run migrate\``, {
      code: 'schema_outdated',
      data: { missing },
    });
  }
  const lacking = await lackingRepeatables(db);
  if (lacking.length > 0) {
    throw new UnusableDatabase(
      `the schema has not our ${lacking.join(', ')}: run \`npm run migrate\``,
      { code: 'schema_outdated', data: { missing: lacking } },
    );
  }
}

async function readMigrations(db: Queryable): Promise<Set<string>> {
  const { rows } = await db.query<{ name: string }>({ text: 'SELECT name FROM migrations' });
  return new Set(rows.map(({ name }) => name));
}

const KNOWN = REPEATABLES.map((one) => ({ name: one.name, hash: hashOf(one) }));

/** Migrations that were never applied. Those of a newer version, which may run beside us, do not count. */
async function lackingRepeatables(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ hash: string }>({
    text: `SELECT DISTINCT hash FROM repeatable_migrations`,
  });
  const applied = new Set(rows.map(({ hash }) => hash));
  return KNOWN.filter(({ hash }) => !applied.has(hash)).map(({ name }) => name);
}

/** The same for a pool, which closes a connection that cannot be used. */
export async function checkPool(pool: pg.Pool): Promise<void> {
  const session = await pool.connect();
  try {
    await checkDatabase(session);
    session.release();
  } catch (error) {
    session.release(error instanceof Error ? error : true);
    throw error;
  }
}
