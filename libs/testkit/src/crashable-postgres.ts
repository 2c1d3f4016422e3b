import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDataSource, migrate } from '@app/database';
import { migrateQueue } from '@app/queue';
import { startPostgres, type RunningPostgres } from './embedded-postgres.js';
import { freePort } from './free-port.js';
import { reachableFolder } from './private-folders.js';

const TEMPLATE = 'posthorn_template';
const CONNECTIONS = 150;

/**
 * A PostgreSQL server for one test, with synchronous commits, and that can be
 * crashed. Its databases are cloned from a migrated template, the queue's tables included.
 */
export class CrashablePostgres {
  private running: RunningPostgres;
  private databases = 0;

  private constructor(
    private readonly directory: string,
    readonly port: number,
  ) {}

  static async start(directory: string): Promise<CrashablePostgres> {
    const postgres = new CrashablePostgres(directory, await freePort());
    await postgres.resume();
    const url = await postgres.running.createDatabase(TEMPLATE);
    const template = await createDataSource(url, 'template').initialize();
    await migrate(template);
    await template.destroy();
    await migrateQueue(url);
    return postgres;
  }

  /** @returns the URL of a new database, past any proxy. */
  createDatabase(): Promise<string> {
    return this.running.createDatabase(`posthorn_${++this.databases}`, TEMPLATE);
  }

  /** `pg_ctl stop -m immediate`: every backend ends at once, nothing is flushed. */
  async crash(): Promise<void> {
    process.kill(this.pid(), 'SIGQUIT');
    // Asks for a gentler stop, which comes too late, and waits until the server has exited.
    await this.running.stop();
  }

  async resume(): Promise<void> {
    this.running = await startPostgres({
      directory: this.directory,
      port: this.port,
      durable: true,
      maxConnections: CONNECTIONS,
    });
  }

  stop(): Promise<void> {
    return this.running.stop();
  }

  /** While it is down: a copy of all that is on its disk, to be put back later. */
  copyFolder(): void {
    const folder = reachableFolder(this.directory);
    replaceFolder(folder, `${folder}-copy`);
  }

  /** While it is down: puts the copy back, without anything since. */
  putBackFolder(): void {
    const folder = reachableFolder(this.directory);
    replaceFolder(`${folder}-copy`, folder);
  }

  /** Of the server itself, to copy and replace whole databases. */
  get adminUrl(): string {
    return this.running.adminUrl;
  }

  private pid(): number {
    const file = join(reachableFolder(this.directory), 'postmaster.pid');
    return Number(readFileSync(file, 'utf8').split('\n')[0]);
  }
}

/** With its owner, who is not us when we are root. */
function replaceFolder(from: string, to: string): void {
  execFileSync('rm', ['-rf', to]);
  execFileSync('cp', ['-a', from, to]);
}
