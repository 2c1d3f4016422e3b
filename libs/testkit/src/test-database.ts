import { createDataSource } from '@app/database';
import type { DataSource } from 'typeorm';
import { admin } from './embedded-postgres.js';

/** Set by the global set-up of the test run. */
export const TEST_POSTGRES = 'TEST_POSTGRES_URL';
/** The same of the oldest version that we support; not set where it is not installed. */
export const TEST_POSTGRES_15 = 'TEST_POSTGRES_15_URL';
export const TEMPLATE_DATABASE = 'posthorn_template';

let counter = 0;

export interface TestDatabase {
  url: string;
  dataSource: DataSource;
  /** Runs one statement; the caller knows the columns. */
  sql<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
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
  return {
    url,
    dataSource,
    sql: <Row>(text: string, values?: unknown[]) => dataSource.query<Row[]>(text, values),
    drop: async () => {
      await dataSource.destroy();
      await admin(adminUrl, `DROP DATABASE "${name}" WITH (FORCE)`);
    },
  };
}
