import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { createDataSource, migrate } from '@app/database';
import { migrateQueue } from '@app/queue';
import {
  admin,
  freePort,
  isRedisInstalled,
  reachableFolder,
  type RunningPostgres,
  type RunningRedis,
  startPostgres,
  startPostgres15,
  startRedis,
} from '@app/testkit';
import { addClients } from './clients.js';
import { Simulator } from './simulator.js';

/** The servers of every measurement: one PostgreSQL, one stand-in, and Redis servers on demand. */
export class Servers {
  private readonly templates = new Map<string, string>();
  private databases = 0;
  private redises = 0;

  private constructor(
    private readonly folder: string,
    private readonly postgres: RunningPostgres,
    readonly postgresPid: number,
    readonly simulator: Simulator,
  ) {}

  /** @param version of PostgreSQL: 15 is the system's package, 18 comes with npm. */
  static async start(version: 15 | 18 = 18): Promise<Servers> {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-bench-'));
    // Ten million rows are gigabytes: they are deleted, also when the bench is interrupted.
    process.once('exit', () => {
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    });
    const directory = reachableFolder(join(folder, 'postgres'));
    // Durable as in production: what is committed is on the disk.
    const start = version === 15 ? startPostgres15 : startPostgres;
    const postgres = await start({ directory, port: await freePort(), durable: true });
    const pid = Number(readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n')[0]);
    try {
      return new Servers(folder, postgres, pid, await Simulator.start());
    } catch (error) {
      await postgres.stop();
      throw error;
    }
  }

  get hasRedis(): boolean {
    return isRedisInstalled();
  }

  /** An empty Redis of its own, that writes its log like one in production. */
  async startRedis(): Promise<RunningRedis> {
    const directory = join(this.folder, `redis-${++this.redises}`);
    return startRedis({ directory, port: await freePort(), appendonly: true });
  }

  /**
   * A migrated database with so many clients; both it and its queue tables are as good as new.
   *
   * @param checkout whose migrations; default: this one's
   */
  async createDatabase(
    clients: number,
    checkout?: string,
  ): Promise<{ url: string; drop: () => Promise<void> }> {
    const template = await this.template(clients, checkout);
    const name = `bench_${++this.databases}`;
    const url = await this.postgres.createDatabase(name, template);
    // Else one measurement includes the writes of another one.
    await admin(this.postgres.adminUrl, 'CHECKPOINT');
    return {
      url,
      drop: () => admin(this.postgres.adminUrl, `DROP DATABASE "${name}" WITH (FORCE)`),
    };
  }

  async postgresVersion(): Promise<string> {
    const client = new pg.Client({ connectionString: this.postgres.adminUrl });
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    await client.end();
    return rows[0]?.server_version ?? '';
  }

  async stop(): Promise<void> {
    await this.simulator.stop();
    await this.postgres.stop();
  }

  private async template(clients: number, checkout?: string): Promise<string> {
    const key = `${clients} ${checkout ?? ''}`;
    const known = this.templates.get(key);
    if (known) return known;
    const name = `template_${this.templates.size}`;
    const url = await this.postgres.createDatabase(name);
    if (checkout === undefined) await migrateHere(url);
    else await migrateByBuild(checkout, url);
    await addClients(url, clients);
    this.templates.set(key, name);
    return name;
  }
}

async function migrateHere(url: string): Promise<void> {
  const dataSource = await createDataSource(url, 'bench').initialize();
  await migrate(dataSource);
  await dataSource.destroy();
  await migrateQueue(url);
}

async function migrateByBuild(checkout: string, url: string): Promise<void> {
  await promisify(execFile)(process.execPath, ['dist/apps/api/src/migrate.js'], {
    cwd: checkout,
    env: { PATH: process.env.PATH, DATABASE_URL: url },
  });
}
