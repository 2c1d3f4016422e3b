import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join, relative } from 'node:path';
import { MailCatcher } from '@app/testkit';
import { Children } from './children.js';
import { DEMO, KEEPER, REGISTER_FILE } from './names.js';
import type { Options } from './options.js';
import { done, line } from './paint.js';
import { choosePorts } from './ports.js';
import { Register } from './register.js';

/** An earlier demo that is asked to stop lets its processes finish first. */
const TAKEOVER_LIMIT_MS = 30_000;
/** For the simulator, which takes any JWT: header and claims of a token without content. */
const PROVIDER_TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJkZW1vIn0.c2lnbmF0dXJl';

/** Everything that Posthorn consists of, on this machine. */
export interface Installation {
  children: Children;
  folder: string;
  databaseUrl: string;
  apiUrl: string;
  simulatorUrl: string;
  workerUrl: string;
  /** Shows the mails that Posthorn has sent. */
  mailUrl: string;
  /** The admin's API key. */
  key: string;
}

/** The demo's folder, for this demo alone: what an earlier one left running is stopped. */
export async function takeOver({
  folder,
  fresh,
}: Pick<Options, 'folder' | 'fresh'>): Promise<Register> {
  mkdirSync(folder, { recursive: true });
  const register = new Register(join(folder, REGISTER_FILE));
  if (register.living().length > 0) {
    line('  An earlier demo still runs here: stopping it.');
    await register.stop((name) => name === DEMO, TAKEOVER_LIMIT_MS);
    // Its keeper is stopping everything, unless it was killed as well.
    await register.gone((name) => name === KEEPER, TAKEOVER_LIMIT_MS);
    await register.stop(() => true);
  }
  if (fresh) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  register.clear();
  register.add(DEMO, process.pid);
  return register;
}

/** Starts database, simulator, api, worker and beat. @throws ChildError */
export async function startInstallation(folder: string, children: Children): Promise<Installation> {
  const { ports, moved } = await choosePorts();
  for (const text of moved) line(`    ${text}`);

  const database = await startDatabase(children, folder, ports.postgres);
  const where = relative('', database.directory);
  done(
    'database',
    `PostgreSQL on port ${ports.postgres}, data in ${where.startsWith('..') ? database.directory : where}`,
  );

  const key = readKey(folder);
  const simulatorUrl = `http://127.0.0.1:${ports.simulator}`;
  const apiUrl = `http://127.0.0.1:${ports.api}`;
  const workerUrl = `http://127.0.0.1:${ports.worker}`;
  // For the tour in the README.
  writeFileSync(join(folder, 'api-url'), `${apiUrl}\n`);
  writeFileSync(join(folder, 'simulator-url'), `${simulatorUrl}\n`);
  // Here, not in a process of its own: it has no state to keep.
  const mails = await MailCatcher.start({ smtpPort: ports.smtp, httpPort: ports.mail });
  const environment = {
    DATABASE_URL: database.url,
    API_HOST: '127.0.0.1',
    API_PORT: String(ports.api),
    WORKER_PORT: String(ports.worker),
    BEAT_PORT: String(ports.beat),
    ADMIN_TOKEN: key,
    ENCRYPTION_KEY: key,
    NOTIFICATION_API_URL: `${simulatorUrl}/v1`,
    NOTIFICATION_API_TOKEN: PROVIDER_TOKEN,
    SIMULATOR_PORT: String(ports.simulator),
    SMTP_URL: mails.smtpUrl,
    REPORT_RECIPIENTS: 'team@example.com',
    PUBLIC_URL: apiUrl,
  };
  await children.run('migrate', { script: 'apps/api/src/migrate.js', environment });
  const start = async (name: 'simulator' | 'api' | 'worker' | 'beat') => {
    children.start(name, { script: `apps/${name}/src/main.js`, environment });
    await children.ready(name, `http://127.0.0.1:${ports[name]}/health/ready`);
  };
  await Promise.all([start('simulator'), start('api'), start('worker'), start('beat')]);
  done('simulator', simulatorUrl);
  done('api', apiUrl);
  done('worker', workerUrl);
  done('beat', `http://127.0.0.1:${ports.beat}`);
  return {
    children,
    folder,
    databaseUrl: database.url,
    apiUrl,
    simulatorUrl,
    workerUrl,
    mailUrl: mails.url,
    key,
  };
}

/** The order of stopping: senders first, then what they use, the database last. */
export async function stopInstallation(children: Children): Promise<void> {
  await children.stop(['beat', 'worker', 'api', 'migrate']);
  await children.stop(['simulator']);
  await children.stop([KEEPER]);
}

interface Database {
  url: string;
  /** Where the data are: not always in the demo's folder. */
  directory: string;
}

async function startDatabase(children: Children, folder: string, port: number): Promise<Database> {
  const words = [folder, String(port)];
  const keeper = children.start(KEEPER, { script: 'demo/keeper.js', words, pipes: true });
  const { promise, resolve } = Promise.withResolvers<string>();
  if (keeper.stdout) createInterface({ input: keeper.stdout }).once('line', resolve);
  return JSON.parse(await Promise.race([promise, children.failure])) as Database;
}

/** The same key in every run, so that what a user tried yesterday works today. */
function readKey(folder: string): string {
  const file = join(folder, 'admin-key');
  if (!existsSync(file)) {
    writeFileSync(file, `demo-${randomBytes(12).toString('hex')}`, { mode: 0o600 });
  }
  return readFileSync(file, 'utf8').trim();
}
