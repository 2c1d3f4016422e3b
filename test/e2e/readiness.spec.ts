import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { migrate as migrateHere } from '@app/database';
import {
  admin,
  createTestDatabase,
  isPgBouncerInstalled,
  type ProcessName,
  type RunningProcess,
  startPgBouncer,
  startProcess,
  TEST_POSTGRES,
  type TestDatabase,
  waitFor,
} from '@app/testkit';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROCESSES: ProcessName[] = ['api', 'worker', 'beat'];

jest.setTimeout(90_000); // three processes start, several times

describe('A process whose database answers', () => {
  const running: RunningProcess[] = [];
  let database: TestDatabase | undefined;

  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one.kill()));
    await database?.drop();
    database = undefined;
  });

  const settings = (url: string) => ({
    DATABASE_URL: url,
    QUEUE_URL: 'redis://127.0.0.1:1',
    NOTIFICATION_API_URL: 'http://127.0.0.1:1',
    NOTIFICATION_API_TOKEN: 'token',
    ENCRYPTION_KEY: 'readiness-encryption-key',
    API_HOST: '127.0.0.1',
    API_PORT: '0',
    WORKER_PORT: '0',
    BEAT_PORT: '0',
  });

  async function start(url: string): Promise<RunningProcess[]> {
    running.push(
      ...(await Promise.all(PROCESSES.map((name) => startProcess(name, settings(url))))),
    );
    return running;
  }

  async function saysNotReady(one: RunningProcess, why: string): Promise<void> {
    await waitFor(
      async () => {
        const answer = await fetch(`${one.url}/health/ready`);
        const { checks, faults } = (await answer.json()) as {
          checks: Record<string, string>;
          faults: { check: string; code: string }[];
        };
        if (answer.status !== 503 || !checks.database?.includes(why)) return false;
        const fault = faults.find(({ check }) => check === 'database');
        return fault?.code.startsWith('schema_') === why.includes('migrate');
      },
      { timeoutMs: 15_000, what: `${one.name} is not ready: ${why}` },
    );
  }

  it('is not ready before the schema is there, and is afterwards', async () => {
    database = await createTestDatabase({ empty: true });
    const processes = await start(database.url);
    await Promise.all(processes.map((one) => saysNotReady(one, 'npm run migrate')));
    await migrateHere(database.dataSource);
    await Promise.all(
      processes.map((one) =>
        waitFor(
          async () => {
            const answer = await fetch(`${one.url}/health/ready`);
            const { checks } = (await answer.json()) as { checks: Record<string, string> };
            return checks.database === 'ok';
          },
          { timeoutMs: 15_000, what: `${one.name} can work` },
        ),
      ),
    );
  });

  it('is not ready when it takes no writes any more', async () => {
    database = await createTestDatabase();
    const processes = await start(database.url);
    const name = new URL(database.url).pathname.slice(1);
    const url = process.env[TEST_POSTGRES] ?? '';
    await admin(url, `ALTER DATABASE "${name}" SET default_transaction_read_only = on`);
    await admin(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = '${name}' AND application_name <> 'test'`,
    );
    await Promise.all(processes.map((one) => saysNotReady(one, 'the database is read-only')));
  });
});

describe('npm run migrate', () => {
  const url = process.env[TEST_POSTGRES] ?? '';
  const migrate = (databaseUrl: string) =>
    promisify(execFile)(process.execPath, ['dist/apps/api/src/migrate.js'], {
      env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
    });

  it('refuses a database that is not UTF-8', async () => {
    const name = `legacy_${process.pid}`;
    const legacy = `ENCODING 'WIN1251' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`;
    await admin(url, `CREATE DATABASE ${name} ${legacy}`);
    try {
      await expect(migrate(url.replace(/\/[^/]*$/, `/${name}`))).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('has the encoding WIN1251: it must be UTF8') as string,
      });
    } finally {
      await admin(url, `DROP DATABASE ${name} WITH (FORCE)`);
    }
  });

  const needsPgBouncer = isPgBouncerInstalled() ? it : it.skip;
  needsPgBouncer('works through PgBouncer in session mode, with the queue too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-migrate-'));
    const bouncer = await startPgBouncer({
      directory: folder,
      serverUrl: url,
      poolMode: 'session',
    });
    const database = await createTestDatabase({ empty: true });
    try {
      const { stdout } = await migrate(bouncer.url(database.url));
      expect(stdout).toContain('"msg":"migrated"');
      expect(
        await database.sql(`SELECT to_regclass('bullmq.migration') IS NULL AS missing`),
      ).toEqual([{ missing: false }]);
    } finally {
      await database.drop();
      await bouncer.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
