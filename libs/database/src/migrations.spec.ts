import { createTestDatabase, type TestDatabase } from '@app/testkit';
import type { DataSource } from 'typeorm';
import { migrate } from './migrate.js';

/** TypeORM's schema builder asks all at once on one connection, of which the driver warns. */
function askOneByOne(dataSource: DataSource): void {
  const create = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode) => {
    const runner = create(mode);
    const query = runner.query.bind(runner) as (...call: unknown[]) => Promise<unknown>;
    let last: Promise<unknown> = Promise.resolve();
    runner.query = <T>(...call: unknown[]) => {
      const answer = last.then(() => query(...call));
      last = answer.catch(() => undefined);
      return answer as Promise<T>;
    };
    return runner;
  };
}

describe('migrations', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase({ empty: true });
  });
  afterAll(async () => {
    await database.drop();
  });

  const ownObjects = async () => {
    const rows: { kind: string; name: string }[] = await database.dataSource.query(`
      SELECT 'relation' AS kind, relname AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND oid NOT IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'migrations'::regclass)
          AND relname !~ '^(repeatable_)?migrations'
      UNION ALL SELECT 'type', typname FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
      UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      ORDER BY 1, 2`);
    return rows.map((row) => `${row.kind} ${row.name}`);
  };

  it('run up, down to nothing, and up again to the same', async () => {
    const { dataSource } = database;
    await migrate(dataSource);
    const first = await ownObjects();
    expect(first).toContain('relation messages');

    for (let left = dataSource.migrations.length; left > 0; left--) {
      await dataSource.undoLastMigration();
    }
    expect(await ownObjects()).toEqual([]);

    await migrate(dataSource);
    expect(await ownObjects()).toEqual(first);
  });

  it('make exactly what the entities say', async () => {
    await migrate(database.dataSource);
    askOneByOne(database.dataSource);
    const drift = await database.dataSource.driver.createSchemaBuilder().log();
    expect(drift.upQueries.map((query) => query.query)).toEqual([]);
  });
});
