import { createHash } from 'node:crypto';
import type { QueryRunner } from 'typeorm';

/**
 * SQL that is edited in place: `migrate` applies it again whenever its text has changed, after the
 * migrations. It may be applied any number of times (CREATE OR REPLACE).
 *
 * It is text in a module and no `.sql` file, for the source has no path of its own (no `__dirname`,
 * no `import.meta`), and the build, its watch mode, jest and the image would each have to copy it.
 * So lock numbers and lists stand in it by their names.
 */
export interface Repeatable {
  name: string;
  /** The functions that it makes, without their arguments. */
  functions: string[];
  sql: string;
}

/** SQLSTATE invalid_function_definition: the result or an argument's name is another one. */
const OTHER_SIGNATURE = '42P13';

export function hashOf({ sql }: Repeatable): string {
  return createHash('sha256').update(sql).digest('hex');
}

/** Each application is a row; the last one of a name is what the database has now. */
export async function createRecords(session: QueryRunner): Promise<void> {
  await session.query(`
    CREATE TABLE IF NOT EXISTS repeatable_migrations (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text NOT NULL,
      hash text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
}

/**
 * Applies those whose text is not what was applied last, each in a transaction of its own.
 *
 * @param session of the one process that holds the migration lock; the records are there
 * @returns the names of those that were applied
 */
export async function applyChanged(
  session: QueryRunner,
  repeatables: readonly Repeatable[],
): Promise<string[]> {
  const rows = (await session.query(
    'SELECT DISTINCT ON (name) name, hash FROM repeatable_migrations ORDER BY name, id DESC',
  )) as { name: string; hash: string }[];
  const applied = new Map(rows.map(({ name, hash }) => [name, hash]));
  const changed = repeatables.filter((one) => applied.get(one.name) !== hashOf(one));
  for (const repeatable of changed) await apply(session, repeatable);
  return changed.map(({ name }) => name);
}

/** What calls a function meanwhile fails only if the signature has changed, for then it is a new one. */
async function apply(session: QueryRunner, repeatable: Repeatable): Promise<void> {
  try {
    await inTransaction(session, () => put(session, repeatable));
  } catch (error) {
    if ((error as { code?: string }).code !== OTHER_SIGNATURE) throw error;
    await inTransaction(session, async () => {
      await dropFunctions(session, repeatable.functions);
      await put(session, repeatable);
    });
  }
}

async function put(session: QueryRunner, repeatable: Repeatable): Promise<void> {
  await session.query(repeatable.sql);
  // CREATE OR REPLACE with other types of arguments leaves the function of before beside the new one.
  await session.query(`
    DO $$ BEGIN
      IF EXISTS (SELECT FROM pg_proc WHERE ${isOneOf(repeatable.functions)} GROUP BY proname HAVING count(*) > 1)
      THEN RAISE EXCEPTION USING ERRCODE = '${OTHER_SIGNATURE}'; END IF;
    END $$`);
  await session.query('INSERT INTO repeatable_migrations (name, hash) VALUES ($1, $2)', [
    repeatable.name,
    hashOf(repeatable),
  ]);
}

/** For the `down` of the migration from which on they are needed: drops their functions. */
export async function forget(session: QueryRunner, ...repeatables: Repeatable[]): Promise<void> {
  await dropFunctions(
    session,
    repeatables.flatMap(({ functions }) => functions),
  );
  await session.query('DELETE FROM repeatable_migrations WHERE name = ANY ($1)', [
    repeatables.map(({ name }) => name),
  ]);
}

async function dropFunctions(session: QueryRunner, functions: string[]): Promise<void> {
  const rows = (await session.query(
    `SELECT oid::regprocedure AS signature FROM pg_proc WHERE ${isOneOf(functions)}`,
  )) as { signature: string }[];
  for (const { signature } of rows) await session.query(`DROP FUNCTION ${signature}`);
}

const isOneOf = (functions: string[]) =>
  `pronamespace = 'public'::regnamespace AND proname = ANY ('{${functions.join()}}')`;

async function inTransaction(session: QueryRunner, work: () => Promise<void>): Promise<void> {
  await session.startTransaction();
  try {
    await work();
    await session.commitTransaction();
  } catch (error) {
    await session.rollbackTransaction();
    throw error;
  }
}
