import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { freePort, waitFor } from '@app/testkit';
import { Engine, serviceOf } from './engine.js';

const MINUTE = 60_000;
const CLIENTS = 1_000;
const OURS = ['api', 'worker', 'beat', 'simulator'];
/** What each process may know, of all that is secret. */
const SECRETS: Record<string, string[]> = {
  migrate: ['DATABASE_URL', 'QUEUE_URL'],
  api: ['DATABASE_URL', 'QUEUE_URL', 'ADMIN_TOKEN', 'ENCRYPTION_KEY'],
  worker: ['DATABASE_URL', 'QUEUE_URL', 'ENCRYPTION_KEY', 'NOTIFICATION_API_TOKEN'],
  beat: ['DATABASE_URL', 'QUEUE_URL', 'SMTP_URL'],
  simulator: [],
};

/** `sh scripts/env.sh && docker compose --profile demo up`, with a real engine. */
describe('docker-compose.yml, run by a container engine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-containers-'));
  const envFile = join(folder, '.env');
  const engine = new Engine(`posthorn-test-${process.pid}`, envFile);
  let settings: Record<string, string | undefined>;

  beforeAll(async () => {
    if (!(await Engine.isThere())) {
      throw new Error('No container engine answers: set DOCKER_HOST, or start one');
    }
    cpSync('scripts/env.sh', join(folder, 'scripts/env.sh'), { recursive: true });
    cpSync('.env.example', join(folder, '.env.example'));
    expect(spawnSync('sh', [join(folder, 'scripts/env.sh')]).status).toBe(0);
    const ports = { API_PORT: await freePort(), SIMULATOR_PORT: await freePort() };
    const text = readFileSync(envFile, 'utf8')
      .replace(/^#API_PORT=.*$/m, `API_PORT=${ports.API_PORT}`)
      .replace(/^#SIMULATOR_PORT=.*$/m, `SIMULATOR_PORT=${ports.SIMULATOR_PORT}`)
      .replace('//simulator:8090/', `//simulator:${ports.SIMULATOR_PORT}/`);
    writeFileSync(envFile, text);
    settings = parseEnv(text);
  }, MINUTE);

  afterAll(async () => {
    await engine.compose('down', '--volumes', '--timeout', '30').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }, 3 * MINUTE);

  it(
    'becomes healthy as a whole',
    async () => {
      if (process.env.IMAGE_IS_BUILT !== '1') await engine.compose('build');
      await engine.compose('up', '--detach', '--no-build');
      await untilHealthy();
      const names = (await engine.containers()).map(serviceOf).sort();
      expect(names).toEqual([
        'api',
        'beat',
        'beat',
        'mailpit',
        'migrate',
        'postgres',
        'redis',
        'simulator',
        'worker',
        'worker',
      ]);
    },
    15 * MINUTE,
  );

  it(
    'runs each process as nobody special, on a root that it cannot write to, with its own secrets',
    async () => {
      const containers = (await engine.containers()).filter((one) => serviceOf(one) in SECRETS);
      expect(containers).toHaveLength(7);
      const secrets = new Set(Object.values(SECRETS).flat());
      for (const container of containers) {
        const service = serviceOf(container);
        const given = container.Config.Env.filter((line) => !line.endsWith('=')).map(
          (line) => line.split('=')[0] ?? '',
        );
        expect([service, given.filter((name) => secrets.has(name)).sort()]).toEqual([
          service,
          [...(SECRETS[service] ?? [])].sort(),
        ]);
        expect(container.HostConfig.ReadonlyRootfs).toBe(true);
        if (service === 'migrate') continue;
        const script = 'id -u; touch /app/x 2>&1; touch /tmp/x && echo writable';
        const [user, refused, last] = (await engine.run(container, 'sh', '-c', script))
          .trim()
          .split(/\r?\n/);
        expect(Number(user)).toBeGreaterThan(0);
        expect(refused).toMatch(/read-only|permission/i);
        expect(last).toBe('writable');
      }
    },
    2 * MINUTE,
  );

  it(
    'sends every message once, though a worker is killed, Redis is recreated and PostgreSQL restarts',
    async () => {
      await createClients();
      const inAnHour = new Date(Date.now() + 60 * MINUTE).toISOString();
      const body = { text: 'hello', filter: {}, endAt: inAnHour, ratePerSecond: 50 };
      const mailing = await api('POST', '/mailings', body);
      const path = `/mailings/${String(mailing.id)}/statistics`;
      const sent = async () => (await api('GET', path)).counts as Record<string, number>;
      await waitFor(async () => ((await sent()).sent ?? 0) > 50, {
        timeoutMs: MINUTE,
        what: 'sending',
      });

      const [worker] = await engine.containers('worker');
      if (!worker) throw new Error('no worker');
      await engine.kill(worker);
      await engine.compose(
        'up',
        '--detach',
        '--no-build',
        '--no-deps',
        '--force-recreate',
        'redis',
      );
      const [postgres] = await engine.containers('postgres');
      if (!postgres) throw new Error('no PostgreSQL');
      await engine.restart(postgres);
      await engine.compose(
        'up',
        '--detach',
        '--no-build',
        '--no-deps',
        '--no-recreate',
        '--scale',
        'worker=3',
        'worker',
      );

      await waitFor(async () => (await sent().catch(() => null))?.sent === CLIENTS, {
        timeoutMs: 4 * MINUTE,
        everyMs: 500,
        what: 'all are sent',
      });
      const { messages, oks } = await received();
      expect(messages).toBe(CLIENTS);
      // Only what was under way when its worker or the database went may have been repeated.
      expect(oks - messages).toBeLessThan(CLIENTS / 4);
      expect(await engine.containers('worker')).toHaveLength(3);
    },
    8 * MINUTE,
  );

  it(
    'stops within 20 s, each process with status 0',
    async () => {
      await untilHealthy();
      const since = performance.now();
      await engine.compose('stop', '--timeout', '30', ...OURS);
      const took = performance.now() - since;
      for (const container of await engine.containers()) {
        const service = serviceOf(container);
        if (!OURS.includes(service)) continue;
        expect([service, container.State.Status, container.State.ExitCode]).toEqual([
          service,
          'exited',
          0,
        ]);
      }
      expect(took).toBeLessThan(OURS.length * 20_000);
    },
    3 * MINUTE,
  );

  async function untilHealthy(): Promise<void> {
    await waitFor(
      async () =>
        (await engine.containers()).every(({ Config, State }) =>
          Config.Labels['com.docker.compose.service'] === 'migrate'
            ? State.Status === 'exited' && State.ExitCode === 0
            : State.Health?.Status === 'healthy',
        ),
      { timeoutMs: 4 * MINUTE, everyMs: 1_000, what: 'all containers are healthy' },
    );
  }

  async function createClients(): Promise<void> {
    const phones = Array.from({ length: CLIENTS }, (_, n) => `7916${String(1_000_000 + n)}`);
    for (let start = 0; start < CLIENTS; start += 20) {
      const some = phones.slice(start, start + 20);
      await Promise.all(
        some.map((phone) => api('POST', '/clients', { phone, operatorCode: '916' })),
      );
    }
  }

  async function api(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Record<string, unknown>> {
    const answer = await fetch(`http://127.0.0.1:${settings.API_PORT ?? ''}${path}`, {
      method,
      headers: { token: settings.ADMIN_TOKEN ?? '', 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  async function received(): Promise<{ messages: number; oks: number }> {
    const answer = await fetch(`http://127.0.0.1:${settings.SIMULATOR_PORT ?? ''}/received`);
    return (await answer.json()) as { messages: number; oks: number };
  }
});
