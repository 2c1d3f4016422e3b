import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDataSource } from '@app/domain';
import { startPostgres } from './embedded-postgres.js';
import { freePort } from './free-port.js';
import { TEMPLATE_DATABASE, TEST_POSTGRES } from './test-database.js';

export interface TestServices {
  /** Variables for the process that runs the tests. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

/** One PostgreSQL for a whole test run, with a migrated template that each test file clones. */
export async function startTestServices(): Promise<TestServices> {
  const parent = mkdtempSync(join(tmpdir(), 'posthorn-test-'));
  const postgres = await startPostgres({
    directory: join(parent, 'postgres'),
    port: await freePort(),
    durable: false,
    maxConnections: 400,
  });
  const template = createDataSource(await postgres.createDatabase(TEMPLATE_DATABASE), 'template');
  await template.initialize();
  await template.runMigrations();
  await template.destroy();
  return {
    environment: { [TEST_POSTGRES]: postgres.adminUrl },
    stop: async () => {
      await postgres.stop();
      rmSync(parent, { recursive: true, force: true });
    },
  };
}
