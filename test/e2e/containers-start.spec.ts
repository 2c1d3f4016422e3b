import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { createTestDatabase, freePort, TEST_REDIS, type TestDatabase } from '@app/testkit';
import { interpolate, ourServices, readCompose } from './containers-files.js';

const MINUTE = 60_000;
const PORTS = ['API_PORT', 'WORKER_PORT', 'BEAT_PORT', 'SIMULATOR_PORT'] as const;

/** `docker compose --profile demo up`, without the containers. */
describe('The services of docker-compose.yml, with the settings that scripts/env.sh writes', () => {
  const compose = readCompose();
  const running = new Map<string, ChildProcess>();
  let database: TestDatabase;
  let settings: Record<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase({ empty: true });
    const ports = await Promise.all(
      PORTS.map(async (name) => [name, String(await freePort())] as const),
    );
    settings = { ...(await writtenEnv()), ...Object.fromEntries(ports) };
    // Where compose has host names of its own, this machine has addresses.
    settings.DATABASE_URL = database.url;
    settings.QUEUE_URL = ownQueue() ?? database.url;
    const provider = new URL(settings.NOTIFICATION_API_URL ?? '');
    settings.NOTIFICATION_API_URL = `http://127.0.0.1:${settings.SIMULATOR_PORT}${provider.pathname}`;
  });

  afterAll(async () => {
    for (const child of running.values()) child.kill('SIGKILL');
    await database.drop();
  });

  it(
    'migrates an empty database, twice without harm',
    async () => {
      for (const time of ['first', 'second']) {
        expect([time, await endOf(start('migrate'))]).toEqual([time, 0]);
      }
    },
    MINUTE,
  );

  it(
    'becomes healthy, each by the health check that it is asked with',
    async () => {
      const names = ourServices()
        .map(([name]) => name)
        .filter((name) => name !== 'migrate');
      for (const name of names) running.set(name, start(name));
      await Promise.all(names.map((name) => untilHealthy(name)));
      // And says so when it is not: nobody listens on port 1.
      await expect(check(['scripts/healthcheck.mjs', 'http://127.0.0.1:1/'])).rejects.toThrow();
    },
    3 * MINUTE,
  );

  it('takes the admin key that the script has made', async () => {
    const { API_PORT, ADMIN_TOKEN = '' } = settings;
    const answer = await fetch(`http://127.0.0.1:${API_PORT}/mailings`, {
      headers: { token: ADMIN_TOKEN },
    });
    expect(answer.status).toBe(200);
  });

  it(
    'ends with status 0 when it is told to stop, in less time than it is given',
    async () => {
      for (const [name, child] of running) {
        const grace = Number.parseInt(compose.services[name]?.stop_grace_period ?? '0') * 1_000;
        const since = performance.now();
        child.kill('SIGTERM');
        expect([name, await endOf(child)]).toEqual([name, 0]);
        expect(performance.now() - since).toBeLessThan(grace);
      }
    },
    2 * MINUTE,
  );

  function start(name: string): ChildProcess {
    const [, ...words] = (compose.services[name]?.command ?? '').split(' ');
    // Its own variables only, as compose gives them.
    const environment = Object.keys(compose.services[name]?.environment ?? {});
    const own = environment.map((variable): [string, string] => [
      variable,
      settings[variable] ?? '',
    ]);
    return spawn(process.execPath, words, {
      env: { PATH: process.env.PATH, ...Object.fromEntries(own) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  async function untilHealthy(name: string): Promise<void> {
    const [, , ...words] = compose.services[name]?.healthcheck?.test ?? [];
    const command = words.map((word) => interpolate(word, settings).result);
    for (;;) {
      const child = running.get(name);
      if (child?.exitCode !== null) throw new Error(`${name} ended with ${child?.exitCode ?? '?'}`);
      try {
        await check(command);
        return;
      } catch {
        // Not yet; the test's own time limit ends this.
      }
    }
  }
});

/** What `sh scripts/env.sh` makes of `.env.example`, in a folder of its own. */
async function writtenEnv(): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-env-'));
  try {
    cpSync('scripts/env.sh', join(folder, 'scripts/env.sh'), { recursive: true });
    cpSync('.env.example', join(folder, '.env.example'));
    expect(await endOf(spawn('sh', [join(folder, 'scripts/env.sh')]))).toBe(0);
    const text = readFileSync(join(folder, '.env'), 'utf8');
    // One that is there stays as it is.
    expect(await endOf(spawn('sh', [join(folder, 'scripts/env.sh')]))).toBe(0);
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(text);
    return parseEnv(text) as Record<string, string>;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A numbered database of the tests' Redis: the other suites' workers must not take our jobs. */
function ownQueue(): string | undefined {
  const redis = process.env[TEST_REDIS];
  return redis && new URL('/11', redis).href;
}

/** @returns the status that it ends with, or the signal that it dies of. */
async function endOf(child: ChildProcess): Promise<unknown> {
  const [code, signal] = (await once(child, 'exit')) as unknown[];
  return code ?? signal;
}

/** Rejects when the health check ends with another status than 0. */
function check(words: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, words, (error, _, stderr) => {
      if (error) reject(new Error(stderr, { cause: error }));
      else resolve();
    });
  });
}
