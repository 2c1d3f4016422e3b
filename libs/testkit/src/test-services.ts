import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDataSource, migrate } from '@app/database';
import { type RunningPostgres, startPostgres } from './embedded-postgres.js';
import { freePort } from './free-port.js';
import { isPostgres15Installed, startPostgres15 } from './installed-postgres.js';
import { isPgBouncerInstalled } from './pgbouncer.js';
import { isRedisInstalled, startRedis } from './redis.js';
import { TEMPLATE_DATABASE, TEST_POSTGRES, TEST_POSTGRES_15 } from './test-database.js';

export interface TestServices {
  /** Variables for the process that runs the tests. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

/** Where tests find a Redis; not set when there is none. */
export const TEST_REDIS = 'TEST_REDIS_URL';

export const SERVICES = ['postgres', 'postgres15', 'redis'] as const;
export type Service = (typeof SERVICES)[number];

/**
 * One server of each wanted kind for a whole test run. Each PostgreSQL has a migrated template that
 * each test file clones.
 */
export async function startTestServices(wanted: readonly Service[]): Promise<TestServices> {
  const parent = mkdtempSync(join(tmpdir(), 'posthorn-test-'));
  const start = <T>(service: Service, open: () => Promise<T>) =>
    wanted.includes(service) ? open() : Promise.resolve(undefined);
  const [postgres, redis, oldest] = await Promise.all([
    start('postgres', () => startNewestPostgres(join(parent, 'postgres'))),
    start('redis', () => findRedis(join(parent, 'redis'))),
    start('postgres15', () => findPostgres15(join(parent, 'postgres-15'))),
  ]);
  return {
    environment: {
      ...(postgres && { [TEST_POSTGRES]: postgres.adminUrl }),
      ...(oldest && { [TEST_POSTGRES_15]: oldest.adminUrl }),
      ...(redis && { [TEST_REDIS]: redis.url }),
    },
    stop: async () => {
      await redis?.stop();
      await oldest?.stop();
      await postgres?.stop();
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

async function startNewestPostgres(directory: string): Promise<RunningPostgres> {
  const postgres = await startPostgres({
    directory,
    port: await freePort(),
    durable: false,
    maxConnections: 400,
  });
  await makeTemplate(postgres);
  return postgres;
}

async function makeTemplate(postgres: RunningPostgres): Promise<void> {
  const template = createDataSource(await postgres.createDatabase(TEMPLATE_DATABASE), 'template');
  await template.initialize();
  await migrate(template);
  await template.destroy();
}

/**
 * A server of the oldest version that we support, where Debian's package is installed. Without it,
 * and without PgBouncer, suites are left out, which the variables of the CI make a failure.
 */
async function findPostgres15(directory: string): Promise<RunningPostgres | undefined> {
  demand('REQUIRE_PGBOUNCER', isPgBouncerInstalled(), 'PgBouncer');
  demand('REQUIRE_POSTGRES_15', isPostgres15Installed(), 'PostgreSQL 15');
  if (!isPostgres15Installed()) return undefined;
  const port = await freePort();
  const postgres = await startPostgres15({ directory, port, maxConnections: 400 });
  await makeTemplate(postgres);
  return postgres;
}

function demand(variable: string, isThere: boolean, what: string): void {
  if (isThere) return;
  const complaint = `${what} is not installed`;
  if (process.env[variable] === '1') throw new Error(`${complaint}, and ${variable}=1`);
  process.stderr.write(`${complaint}: some suites are left out.\n`);
}

/**
 * `REDIS_URL`, or a server of our own where redis-server is installed. Without either the suites run
 * on the Postgres queue alone, and a line says so; with `REQUIRE_REDIS=1` that is a failure.
 */
async function findRedis(
  directory: string,
): Promise<{ url: string; stop(): Promise<void> } | undefined> {
  const url = process.env.REDIS_URL;
  if (url) return { url, stop: () => Promise.resolve() };
  if (isRedisInstalled()) return startRedis({ directory, port: await freePort() });
  const complaint = 'Neither redis-server nor REDIS_URL was found';
  if (process.env.REQUIRE_REDIS === '1') throw new Error(`${complaint}, and REQUIRE_REDIS=1`);
  process.stderr.write(`${complaint}: the suites run on the Postgres queue only.\n`);
  return undefined;
}
