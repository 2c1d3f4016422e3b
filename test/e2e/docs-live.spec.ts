import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  createTestDatabase,
  type RunningProcess,
  startApi,
  startProcess,
  TEST_ADMIN_KEY,
  type TestDatabase,
  waitFor,
} from '@app/testkit';
import { codeBlocks, inlineCode, readPages, routeKey, routesIn } from './docs.js';

const MINUTE = 60_000;
/** Starting takes a second; on a machine that does ten other things at once it takes longer. */
const longLimit = { startTimeoutMs: MINUTE };

interface OpenApi {
  paths: Record<string, Record<string, unknown>>;
}

/** What the pages say, held against the running processes. */
describe('The documents', () => {
  const processes: RunningProcess[] = [];
  let database: TestDatabase;
  let api: string;
  let simulator: string;

  beforeAll(async () => {
    database = await createTestDatabase({ empty: true });
    await migrate(database.url);
    const provider = await startProcess('simulator', { SIMULATOR_PORT: '0' }, longLimit);
    processes.push(provider);
    simulator = provider.url;
    const settings = {
      DATABASE_URL: database.url,
      WORKER_PORT: '0',
      BEAT_PORT: '0',
      NOTIFICATION_API_URL: `${simulator}/v1`,
      NOTIFICATION_API_TOKEN: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.c2ln',
    };
    const running = await Promise.all([
      startApi(database.url, {}, longLimit).then(({ process }) => process),
      startProcess('worker', settings, longLimit),
      startProcess('beat', settings, longLimit),
    ]);
    processes.push(...running);
    api = running[0].url;
  }, 3 * MINUTE);

  afterAll(async () => {
    await Promise.all(processes.map((running) => running.stop()));
    await database.drop();
  }, MINUTE);

  it('lists every metric that a process exposes, and none that does not exist', async () => {
    const exposed = new Set<string>();
    for (const { name, url } of processes.filter(({ name }) => name !== 'simulator')) {
      const answer = await fetch(`${url}/metrics`, { headers: { token: TEST_ADMIN_KEY } });
      expect([name, answer.status]).toEqual([name, 200]);
      const text = await answer.text();
      for (const [, metric = ''] of text.matchAll(/^# TYPE (\S+)/gm)) exposed.add(metric);
    }
    const page = readFileSync('docs/metrics.md', 'utf8');
    const listed = inlineCode(page).filter((code) => /^(posthorn|process|nodejs)_\w+$/.test(code));
    expect([...new Set(listed)].sort()).toEqual([...exposed].sort());
    expect([...exposed].filter((name) => name.startsWith('posthorn_')).length).toBeGreaterThan(5);
  });

  it('names the alerts by metrics that exist', () => {
    const page = readFileSync('docs/metrics.md', 'utf8');
    const [, alerts = ''] = page.split('## Worth an alert');
    const names = inlineCode(alerts).flatMap(
      (code) => code.match(/\b(posthorn|nodejs)_\w+/g) ?? [],
    );
    const listed = inlineCode(page);
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) expect(listed).toContain(name);
  });

  it('names routes that exist', async () => {
    const known = new Set<string>();
    for (const url of [api, simulator]) {
      const document = (await (await fetch(`${url}/docs-json`)).json()) as OpenApi;
      for (const [path, methods] of Object.entries(document.paths)) {
        for (const method of Object.keys(methods)) known.add(routeKey(method, path));
      }
    }
    for (const path of [
      '/docs',
      '/redoc',
      '/queues',
      '/health/live',
      '/health/ready',
      '/metrics',
    ]) {
      const { status } = await fetch(api + path, { headers: { token: TEST_ADMIN_KEY } });
      expect([path, status < 400 || status === 401]).toEqual([path, true]);
      known.add(routeKey('GET', path));
    }
    const named = readPages().flatMap(({ path, text }) =>
      routesIn(text).map((route) => ({ path, route })),
    );
    expect(named.length).toBeGreaterThan(10);
    const wrong = named.filter(({ route }) => !known.has(route));
    expect(wrong).toEqual([]);
  });

  it('shows SQL that runs', async () => {
    const blocks = readPages().flatMap(({ text }) => codeBlocks(text, 'sql'));
    expect(blocks.length).toBeGreaterThan(5);
    for (const block of blocks) {
      const result: unknown = await database.dataSource.query(block);
      expect(Array.isArray(result)).toBe(true);
    }
  });

  it(
    'leads through a tour that does what it says',
    async () => {
      const [, tour = ''] = readFileSync('README.md', 'utf8').split('## Five minutes with curl');
      const [variables = '', ...steps] = codeBlocks(tour.split('\n## ')[0] ?? '', 'sh');
      const helpers = variables.replace(/^API=.*$/m, '');
      const prelude = `API=${api} SIM=${simulator} KEY=${TEST_ADMIN_KEY}\n${helpers}`;
      const [forget, clients, preview, mailing, received, statistics, wrong] = steps;
      expect(steps).toHaveLength(7);

      await shell(prelude, forget);
      const made = jsonLines(await shell(prelude, clients));
      expect(made).toMatchObject([
        { operatorCode: '916', tags: ['vip'], timezone: 'Europe/Moscow' },
        { operatorCode: '924', tags: ['new', 'vip'], timezone: 'Asia/Vladivostok' },
        { operatorCode: '911', tags: ['new'], timezone: 'Europe/Kaliningrad' },
      ]);
      const [seen] = jsonLines(await shell(prelude, preview));
      expect(JSON.stringify(seen)).toContain('Asia/Vladivostok');
      expect(JSON.stringify(seen)).not.toContain('Kaliningrad');

      const id = (await shell(prelude, `${mailing ?? ''}\necho "$MAILING"`)).trim();
      expect(id).toMatch(/^\d+$/);
      const text = 'Doors open at seven.';
      const atProvider = async () => jsonLines(await shell(prelude, received));
      await waitFor(async () => (await atProvider())[0]?.items?.length === 2, {
        timeoutMs: 30_000,
        what: 'two messages at the provider',
      });
      expect(await atProvider()).toMatchObject([
        {
          items: [
            { phone: 79_161_234_567, text, requests: 1, oks: 1 },
            { phone: 79_241_234_567, text, requests: 1, oks: 1 },
          ],
          nextCursor: null,
        },
      ]);

      const ask = async () => jsonLines(await shell(`${prelude}\nMAILING=${id}`, statistics));
      await waitFor(async () => (await ask())[0]?.status === 'completed', {
        timeoutMs: 30_000,
        what: 'the mailing has completed',
      });
      expect(await ask()).toMatchObject([
        { total: 2, counts: { sent: 2, failed: 0, unknown: 0 } },
        { items: [{ status: 'sent' }, { status: 'sent' }] },
      ]);
      expect(jsonLines(await shell(prelude, wrong))).toMatchObject([
        { status: 400, errors: [{ path: 'phone' }, { path: 'timezone' }] },
      ]);
    },
    MINUTE,
  );
});

async function migrate(url: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const env = { PATH: process.env.PATH, DATABASE_URL: url };
    execFile(process.execPath, ['dist/apps/api/src/migrate.js'], { env }, (error, _, stderr) => {
      if (error) reject(new Error(stderr, { cause: error }));
      else resolve();
    });
  });
}

/** What the commands print; rejects when one of them fails. */
function shell(prelude: string, commands = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const script = `set -eu\n${prelude}\n${commands}`;
    execFile('bash', ['-c', script], (error, stdout, stderr) => {
      if (error) reject(new Error(`${commands}\n${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}

/** What the tour's commands answer with, as far as this looks at it. */
interface Answer {
  status?: unknown;
  items?: unknown[];
}

function jsonLines(text: string): Answer[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => JSON.parse(line) as Answer);
}
