import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { admin, type RunningPostgres } from './embedded-postgres.js';
import { reachableFolder } from './private-folders.js';
import { waitFor } from './wait-for.js';

export interface InstalledPostgresOptions {
  directory: string;
  port: number;
  /** Survive a crash of the machine, or be fast (tests). Default: fast. */
  durable?: boolean;
  maxConnections?: number;
}

/** The oldest version that we support, as Debian ships it: with JIT compiled in. */
const BINARIES = '/usr/lib/postgresql/15/bin';
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;
const FAST = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'];
const living = new Set<ChildProcess>();

// It ends with the process that started it, also when that does not stop it.
process.once('exit', () => {
  for (const child of living) child.kill('SIGQUIT');
});

export function isPostgres15Installed(): boolean {
  return existsSync(join(BINARIES, 'postgres'));
}

/** A PostgreSQL 15 of our own, from the system's package, with its settings. */
export async function startPostgres15(options: InstalledPostgresOptions): Promise<RunningPostgres> {
  const { port, durable = false, maxConnections = 200 } = options;
  const directory = reachableFolder(options.directory);
  const user = serverUser();
  if (!existsSync(join(directory, 'PG_VERSION'))) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (user) chownSync(directory, user.uid, user.gid);
    const settings = ['-U', 'postgres', '-E', 'UTF8', '--locale=C', '-A', 'trust', '--no-sync'];
    await promisify(execFile)(join(BINARIES, 'initdb'), ['-D', directory, ...settings], {
      ...user,
    });
  }
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `max_connections=${maxConnections}`,
    'shared_buffers=256MB',
    'max_wal_size=4GB',
    ...(durable ? [] : FAST),
  ];
  const server = spawn(
    join(BINARIES, 'postgres'),
    ['-D', directory, ...settings.flatMap((setting) => ['-c', setting])],
    { ...user, stdio: 'ignore' },
  );
  living.add(server);
  const exited = new Promise<void>((resolve) => {
    server.once('exit', () => {
      living.delete(server);
      resolve();
    });
  });
  const url = (database: string) => `postgres://postgres:posthorn@127.0.0.1:${port}/${database}`;
  const adminUrl = url('postgres');
  await waitFor(
    async () => {
      if (server.exitCode !== null) throw new Error('PostgreSQL 15 ended');
      return admin(adminUrl, 'SELECT 1').then(
        () => true,
        () => false,
      );
    },
    { timeoutMs: START_LIMIT_MS, what: 'PostgreSQL 15 answers' },
  );
  return {
    port,
    adminUrl,
    url,
    createDatabase: async (name, template) => {
      const from = template ? ` TEMPLATE "${template}"` : '';
      await admin(adminUrl, `CREATE DATABASE "${name}"${from}`);
      return url(name);
    },
    stop: async () => {
      const force = setTimeout(() => server.kill('SIGQUIT'), STOP_LIMIT_MS);
      server.kill('SIGINT');
      await exited;
      clearTimeout(force);
    },
  };
}

/** PostgreSQL and PgBouncer refuse to be root: as root they run as the user of the package. */
export function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('postgres:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
