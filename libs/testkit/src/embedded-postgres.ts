import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { loadEmbeddedPostgres, reachableFolder } from './private-folders.js';

export interface PostgresOptions {
  /** Where the data lives. Created when missing. */
  directory: string;
  port: number;
  /** Survive a crash of the machine (demo), or be fast (tests). */
  durable: boolean;
  maxConnections?: number;
  onLog?: (line: string) => void;
}

export interface RunningPostgres {
  port: number;
  /** `postgres://…/postgres`. */
  adminUrl: string;
  url(database: string): string;
  createDatabase(name: string, template?: string): Promise<string>;
  stop(): Promise<void>;
}

const PASSWORD = 'posthorn';

/** A real PostgreSQL server of our own, from the binaries that npm installed. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { port } = options;
  const directory = reachableFolder(options.directory);
  await stopOrphan(directory);
  const EmbeddedPostgres = await loadEmbeddedPostgres();
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    user: 'postgres',
    password: PASSWORD,
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', ...(options.durable ? [] : ['--no-sync'])],
    postgresFlags: [
      '-c',
      `max_connections=${options.maxConnections ?? 200}`,
      '-c',
      'shared_buffers=256MB',
      '-c',
      'max_wal_size=4GB',
      ...(options.durable
        ? []
        : ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'synchronous_commit=off']),
    ],
    onLog: options.onLog ?? (() => undefined),
    onError: (error: unknown) => options.onLog?.(String(error)),
  });
  if (!existsSync(join(directory, 'PG_VERSION'))) await server.initialise();
  await server.start();

  const url = (database: string) => `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${database}`;
  const adminUrl = url('postgres');
  return {
    port,
    adminUrl,
    url,
    createDatabase: async (name, template) => {
      await admin(
        adminUrl,
        `CREATE DATABASE "${name}"${template ? ` TEMPLATE "${template}"` : ''}`,
      );
      return url(name);
    },
    stop: () => server.stop(),
  };
}

/** Runs one statement on a connection of its own. */
export async function admin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** A server whose parent was killed keeps running and holds the folder: it is ours, so we end it. */
async function stopOrphan(directory: string): Promise<void> {
  const file = join(directory, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!isPostgres(pid)) return;
  process.kill(pid, 'SIGINT');
  for (let waited = 0; waited < 10_000 && isPostgres(pid); waited += 50) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (isPostgres(pid)) process.kill(pid, 'SIGQUIT');
}

/** The pid in a stale file may meanwhile belong to somebody else. */
function isPostgres(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const cmdline = `/proc/${pid}/cmdline`;
  return (
    !existsSync('/proc/self') ||
    (existsSync(cmdline) && readFileSync(cmdline, 'utf8').includes('postgres'))
  );
}
