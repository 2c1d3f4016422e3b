import { createDataSource, Database } from '@app/database';
import type { DataSource } from 'typeorm';
import { admin } from './embedded-postgres.js';

/** Set by the global set-up of the test run. */
export const TEST_POSTGRES = 'TEST_POSTGRES_URL';
/** The same of the oldest version that we support; not set where it is not installed. */
export const TEST_POSTGRES_15 = 'TEST_POSTGRES_15_URL';
export const TEMPLATE_DATABASE = 'posthorn_template';

let counter = 0;

/** A database with what only tests do to it. Services take it as their `Database`. */
export class TestDatabase extends Database {
  constructor(
    override readonly dataSource: DataSource,
    readonly url: string,
    private readonly remove: () => Promise<void>,
  ) {
    super(dataSource);
  }

  /** Runs one statement; the caller knows the columns. */
  sql<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]> {
    return this.dataSource.query<Row[]>(text, values);
  }

  async drop(): Promise<void> {
    await this.dataSource.destroy();
    await this.remove();
  }
}

/** A database of its own for one test file, migrated, cloned from the template in some 50 ms. */
export async function createTestDatabase(options?: { empty?: boolean }): Promise<TestDatabase> {
  const adminUrl = process.env[TEST_POSTGRES];
  if (!adminUrl) throw new Error(`${TEST_POSTGRES} is not set: run the tests through jest`);
  const name = `test_${process.pid}_${++counter}_${Math.random().toString(36).slice(2, 8)}`;
  const template = options?.empty ? 'template0' : TEMPLATE_DATABASE;
  await admin(adminUrl, `CREATE DATABASE "${name}" TEMPLATE "${template}"`);
  const url = adminUrl.replace(/\/[^/]*$/, `/${name}`);
  const dataSource = await createDataSource(url, 'test', { size: 20 }).initialize();
  return new TestDatabase(dataSource, url, () =>
    admin(adminUrl, `DROP DATABASE "${name}" WITH (FORCE)`),
  );
}
