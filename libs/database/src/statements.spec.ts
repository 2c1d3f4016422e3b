import { createTestDatabase, type TestDatabase, waitFor } from '@app/testkit';
import pg from 'pg';
import { cancelStatement, cancelStatements } from './cancel.js';
import { isTimeout } from './outage.js';
import { withTimeouts } from './queryable.js';

describe('a statement', () => {
  let database: TestDatabase;
  let session: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    session = new pg.Client({ connectionString: database.url, statement_timeout: 20_000 });
    await session.connect();
  });
  afterEach(() => session.end());
  afterAll(() => database.drop());

  const running = (text: string, sessions = 1) =>
    waitFor(
      async () => {
        const rows = await database.sql(
          `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = $1`,
          [text],
        );
        return rows.length >= sessions;
      },
      { timeoutMs: 5_000, what: `${text} is running`, everyMs: 5 },
    );
  const limit = async () =>
    (await session.query<{ statement_timeout: string }>('SHOW statement_timeout')).rows[0];

  describe('with a limit of its own', () => {
    it('is ended by the server, and the next one has the limit of the session', async () => {
      const db = withTimeouts(session);
      const slow = db.query({ text: 'SELECT pg_sleep(10)', timeoutMs: 50 });
      expect(isTimeout(await slow.catch((error: unknown) => error))).toBe(true);
      expect(await limit()).toEqual({ statement_timeout: '20s' });
    });

    it('that is kept gives its rows', async () => {
      const db = withTimeouts(session);
      const { rows } = await db.query({
        text: `SELECT current_setting('statement_timeout') AS limit`,
        timeoutMs: 1_500,
      });
      expect(rows).toEqual([{ limit: '1500ms' }]);
      expect(await limit()).toEqual({ statement_timeout: '20s' });
    });
  });

  describe('that is cancelled', () => {
    it('ends at once, and its session goes on', async () => {
      const text = 'SELECT pg_sleep(11)';
      const slow = expect(session.query(text)).rejects.toMatchObject({ code: '57014' });
      await running(text);
      await cancelStatement(session);
      await slow;
      expect(await limit()).toEqual({ statement_timeout: '20s' });
    });

    it('ends in every session of a pool', async () => {
      const pool = new pg.Pool({ connectionString: database.url, max: 3 });
      const text = 'SELECT pg_sleep(12)';
      const slow = [1, 2, 3].map(() =>
        expect(pool.query(text)).rejects.toMatchObject({ code: '57014' }),
      );
      await running(text, slow.length);
      await cancelStatements(pool);
      await Promise.all(slow);
      await pool.end();
    });

    it('may be over already, or its session', async () => {
      await cancelStatement(session);
      expect(await limit()).toEqual({ statement_timeout: '20s' });
      const gone = new pg.Client({ connectionString: database.url });
      await cancelStatement(gone);
      await cancelStatements(undefined);
    });
  });
});
