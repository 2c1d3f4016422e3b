import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { admin } from './embedded-postgres.js';
import { freePort } from './free-port.js';
import { serverUser } from './installed-postgres.js';
import { reachableFolder } from './private-folders.js';
import { waitFor } from './wait-for.js';

export interface PgBouncerOptions {
  /** For its settings. */
  directory: string;
  /** Of the server behind it: any database, with a user and a password. */
  serverUrl: string;
  poolMode: 'session' | 'transaction';
  poolSize?: number;
}

export interface RunningPgBouncer {
  /** The URL of a database behind it, as it would be without it. */
  url(serverUrl: string): string;
  stop(): Promise<void>;
}

const PROGRAM = '/usr/sbin/pgbouncer';

export function isPgBouncerInstalled(): boolean {
  return existsSync(PROGRAM);
}

/** A real PgBouncer, with the settings that its package has, before a server of ours. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<RunningPgBouncer> {
  const server = new URL(options.serverUrl);
  const port = await freePort();
  const folder = reachableFolder(join(options.directory, `pgbouncer-${port}`));
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const users = join(folder, 'users.txt');
  const settings = join(folder, 'pgbouncer.ini');
  writeFileSync(users, `"${server.username}" "${server.password}"\n`, { mode: 0o644 });
  writeFileSync(
    settings,
    `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = ${options.poolMode}
default_pool_size = ${options.poolSize ?? 50}
max_client_conn = 500
`,
    { mode: 0o644 },
  );
  const bouncer = spawn(PROGRAM, ['-q', settings], { ...serverUser(), stdio: 'ignore' });
  const kill = () => bouncer.kill('SIGKILL');
  process.once('exit', kill);
  const exited = once(bouncer, 'exit');
  const url = (serverUrl: string) => {
    const through = new URL(serverUrl);
    through.port = String(port);
    return through.href;
  };
  await waitFor(
    () =>
      admin(url(options.serverUrl), 'SELECT 1').then(
        () => true,
        () => false,
      ),
    { timeoutMs: 10_000, what: 'PgBouncer answers' },
  );
  return {
    url,
    stop: async () => {
      kill();
      await exited;
      process.off('exit', kill);
    },
  };
}
