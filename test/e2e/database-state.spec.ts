import pg from 'pg';
import { createTestDatabase, startApi } from '@app/testkit';

describe('a database that cannot answer as it is', () => {
  it('makes a lock that is waited for too long a 503, to be tried again', async () => {
    const database = await createTestDatabase();
    const name = new URL(database.url).pathname.slice(1);
    await database.dataSource.query(`ALTER DATABASE "${name}" SET lock_timeout = '200ms'`);
    const api = await startApi(database.url);
    const session = new pg.Client(database.url);
    await session.connect();
    try {
      await session.query('BEGIN');
      await session.query('LOCK TABLE tags IN ACCESS EXCLUSIVE MODE');
      const answer = await api.admin.get('/tags');
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('1');
    } finally {
      await session.end();
      await api.process.stop();
      await database.drop();
    }
  });

  it('says when the schema is missing, and shows no words of the driver in the answer', async () => {
    const database = await createTestDatabase({ empty: true });
    const api = await startApi(database.url);
    try {
      const answer = await api.admin.get('/tags');
      expect(answer.status).toBe(503);
      expect(answer.body.detail).toContain('run the migrations');

      const ready = await api.admin.as(null).get('/health/ready');
      expect(ready.status).toBe(503);
      expect(JSON.stringify(ready.body)).not.toMatch(/relation|api_keys|SELECT/);
      await api.process.waitForLog((line) => line.includes('ready: database fails'));
    } finally {
      await api.process.stop();
      await database.drop();
    }
  });

  it('writes where it is into the log, not into the answer', async () => {
    const url = 'postgres://someone:secret-word@127.0.0.1:1/nowhere';
    const api = await startApi(url);
    try {
      const ready = await api.admin.as(null).get('/health/ready');
      expect(ready.status).toBe(503);
      expect(JSON.stringify(ready.body)).not.toMatch(/ECONN|127\.0\.0\.1|secret-word|someone/);
      await api.process.waitForLog((line) => line.includes('ECONNREFUSED'));
    } finally {
      await api.process.stop();
    }
  });
});
