import { createTestDatabase, type TestDatabase } from '@app/testkit';
import type { QueryRunner } from 'typeorm';
import { checkDatabase } from '../check-database.js';
import { migrate } from '../migrate.js';
import { poolOf } from '../queryable.js';
import { REPEATABLES } from './index.js';
import { applyChanged, type Repeatable } from './repeatable.js';

describe('repeatable SQL', () => {
  let database: TestDatabase;
  let session: QueryRunner;

  beforeAll(async () => {
    database = await createTestDatabase();
    session = database.dataSource.createQueryRunner();
  });
  afterAll(async () => {
    await session.release();
    await database.drop();
  });

  const answering = (signature: string, body: string): Repeatable => ({
    name: 'answer',
    functions: ['answer'],
    sql: `CREATE OR REPLACE FUNCTION answer(${signature} LANGUAGE sql AS $$ ${body} $$`,
  });
  const asked = async (call: string) => database.sql(`SELECT ${call} AS answer`);

  it('is all in a migrated database, which finds nothing more to do', async () => {
    expect(await migrate(database.dataSource)).toEqual({ migrations: [], repeatables: [] });
    const rows = await database.sql<{ name: string }>(
      'SELECT name FROM repeatable_migrations ORDER BY id',
    );
    expect(rows.map(({ name }) => name)).toEqual(REPEATABLES.map(({ name }) => name));
  });

  it('is applied when its text is new, and then not again', async () => {
    const first = answering('n int) RETURNS int', 'SELECT n');
    expect(await applyChanged(session, [first])).toEqual(['answer']);
    expect(await applyChanged(session, [first])).toEqual([]);

    const second = answering('n int) RETURNS int', 'SELECT n + 1');
    expect(await applyChanged(session, [second])).toEqual(['answer']);
    expect(await asked('answer(1)')).toEqual([{ answer: 2 }]);
  });

  it('is applied again when an older version comes back', async () => {
    const first = answering('n int) RETURNS int', 'SELECT n');
    expect(await applyChanged(session, [first])).toEqual(['answer']);
    expect(await asked('answer(1)')).toEqual([{ answer: 1 }]);
  });

  it.each([
    ['result', 'n int) RETURNS text', `SELECT 'text'`, 'answer(1)', 'text'],
    ['arguments', 'n text) RETURNS text', 'SELECT n', `answer('given')`, 'given'],
  ])('replaces a function whose %s changed', async (_, signature, body, call, answer) => {
    expect(await applyChanged(session, [answering(signature, body)])).toEqual(['answer']);
    expect(await asked(call)).toEqual([{ answer }]);
    expect(await database.sql(`SELECT FROM pg_proc WHERE proname = 'answer'`)).toHaveLength(1);
  });

  it('leaves what was there when it fails', async () => {
    const before = await asked(`answer('given')`);
    await expect(
      applyChanged(session, [answering('n text) RETURNS text', 'SELECT nothing')]),
    ).rejects.toThrow('nothing');
    expect(await asked(`answer('given')`)).toEqual(before);
  });

  it('is missed by a process whose own has never been applied', async () => {
    const pool = poolOf(database.dataSource);
    await expect(checkDatabase(pool)).resolves.toBeUndefined();
    await database.sql(
      `UPDATE repeatable_migrations SET hash = 'other' WHERE name = 'claim-messages'`,
    );
    await expect(checkDatabase(pool)).rejects.toThrow('has not our claim-messages');
    expect(await migrate(database.dataSource)).toMatchObject({ repeatables: ['claim-messages'] });
    await expect(checkDatabase(pool)).resolves.toBeUndefined();
  });
});
