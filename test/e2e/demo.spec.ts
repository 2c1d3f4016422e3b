import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const MINUTE = 60_000;
const CLIENTS = 300;

/** `npm run demo` after its build: the demo itself, in a folder of its own. */
describe('The demo', () => {
  const root = mkdtempSync(join(tmpdir(), 'posthorn-demo-'));
  chmodSync(root, 0o755);
  const folder = join(root, 'demo');
  const demos = new Set<Demo>();

  const start = (...words: string[]) => {
    const demo = new Demo(['--folder', folder, '--clients', String(CLIENTS), ...words]);
    demos.add(demo);
    return demo;
  };

  afterAll(async () => {
    for (const demo of demos) demo.kill('SIGTERM');
    await Promise.all([...demos].map(({ exited }) => exited));
    await untilNothingRuns(folder);
    rmSync(root, { recursive: true, force: true });
  }, MINUTE);

  it(
    'delivers to every client once, shows numbers that add up, and stops with status 0',
    async () => {
      const demo = start('--exit');
      expect(await demo.exited).toBe(0);
      const table = demo.table();
      expect(table.sent).toEqual([CLIENTS, CLIENTS, 0]);
      expect(table.total).toEqual([CLIENTS, CLIENTS, 0]);
      const parts = Object.entries(table).filter(([name]) => name !== 'total');
      expect(parts).toHaveLength(7);
      expect(parts.reduce((sum, [, [count = 0]]) => sum + count, 0)).toBe(CLIENTS);
      expect(runningIn(folder)).toEqual([]);
    },
    2 * MINUTE,
  );

  it(
    'stays up until Ctrl-C, with everything at the addresses that it shows',
    async () => {
      const demo = start();
      await demo.line(/stays up until Ctrl-C/);
      const key = demo.found(/^ +Admin key +(\S+)$/m);
      for (const [, name = '', url = ''] of demo.output.matchAll(
        /^ {2}(\w+(?: \w+)*) +(http\S+)$/gm,
      )) {
        const { status } = await fetch(url, { headers: { token: key }, redirect: 'manual' });
        expect([name, url, [200, 302, 303].includes(status)]).toEqual([name, url, true]);
      }
      const api = demo.found(/API docs\s+(\S+)\/docs/);
      const clients = await fetch(`${api}/clients?limit=1`, { headers: { token: key } });
      expect(await clients.json()).toHaveProperty('items.length', 1);

      demo.kill('SIGINT');
      expect(await demo.exited).toBe(0);
      expect(runningIn(folder)).toEqual([]);
    },
    2 * MINUTE,
  );

  it(
    'leaves nothing running when it is killed while sending, and works again at once',
    async () => {
      const killed = start('--clients', '3000');
      await killed.line(/sending +\d+ %/);
      killed.kill('SIGKILL');
      await killed.exited;

      const next = start('--exit');
      expect(await next.exited).toBe(0);
      expect(next.table().total).toEqual([CLIENTS, CLIENTS, 0]);
      expect(runningIn(folder)).toEqual([]);
    },
    2 * MINUTE,
  );

  it(
    'recovers when the keeper of its database was killed too',
    async () => {
      const killed = start();
      await killed.line(/stays up until Ctrl-C/);
      const left = runningIn(folder);
      expect(left.map(({ name }) => name).sort()).toEqual(
        ['api', 'beat', 'demo', 'postgres', 'server', 'simulator', 'worker'].sort(),
      );
      for (const { name, pid } of left) {
        if (name === 'postgres' || name === 'demo') process.kill(pid, 'SIGKILL');
      }
      await killed.exited;

      const next = start('--exit');
      expect(await next.exited).toBe(0);
      expect(next.output).toContain('An earlier demo still runs here');
      expect(next.table().total).toEqual([CLIENTS, CLIENTS, 0]);
      expect(runningIn(folder)).toEqual([]);
    },
    2 * MINUTE,
  );

  it(
    'ends with the last words of a process that died, and takes other ports than those in use',
    async () => {
      const other = createServer();
      const mine = await new Promise<boolean>((resolve) => {
        other.once('error', () => {
          resolve(false); // somebody else has it: just as well
        });
        other.listen(8090, '127.0.0.1', () => {
          resolve(true);
        });
      });
      const demo = start();
      await demo.line(/stays up until Ctrl-C/);
      expect(demo.output).toMatch(/port 8090 is in use: simulator takes \d+/);
      expect(demo.output).not.toMatch(/http:\/\/127\.0\.0\.1:8090\b/);
      if (mine) other.close();

      const worker = runningIn(folder).find(({ name }) => name === 'worker');
      process.kill(worker?.pid ?? 0, 'SIGKILL');
      expect(await demo.exited).toBe(1);
      expect(demo.output).toMatch(/✘ worker ended with SIGKILL\. The end of .*worker\.log:/);
      expect(demo.output).toContain('"msg":"started"');
      expect(runningIn(folder)).toEqual([]);
    },
    2 * MINUTE,
  );

  it(
    'works in a private folder, where the user that PostgreSQL runs as cannot go',
    async () => {
      const home = join(root, 'private');
      mkdirSync(home, { mode: 0o700 });
      const demo = new Demo(['--folder', join(home, 'demo'), '--clients', '10', '--exit']);
      demos.add(demo);
      expect(await demo.exited).toBe(0);
      const data = demo.found(/data in (.+)$/m);
      const isRoot = process.getuid?.() === 0;
      expect(data.startsWith(isRoot ? '/var/tmp/posthorn-data-' : home)).toBe(true);
      if (isRoot) rmSync(dirname(data), { recursive: true });
    },
    2 * MINUTE,
  );

  it(
    'restarts with npm run dev what loads a changed file, and only that',
    async () => {
      const dev = new Demo(['--folder', join(root, 'dev')], 'dist/demo/dev.js');
      demos.add(dev);
      await dev.line(/What changes is built and restarted/);
      utimesSync('dist/apps/worker/src/worker.service.js', new Date(), new Date());
      await dev.line(/worker +restarted/);
      expect(dev.output).not.toMatch(/(api|beat|simulator) +restarted/);
      expect(dev.output).not.toContain('✘');
      dev.kill('SIGINT');
      expect(await dev.exited).toBe(0);
      expect(runningIn(join(root, 'dev'))).toEqual([]);
    },
    2 * MINUTE,
  );

  it('refuses what it does not understand', async () => {
    for (const words of [['--clients', 'many'], ['--clients', '0'], ['--what']]) {
      const demo = new Demo(words);
      expect(await demo.exited).toBe(2);
      expect(demo.output).toContain('npm run demo -- [options]');
    }
  });
});

class Demo {
  output = '';
  readonly exited: Promise<number | null>;
  private readonly child: ChildProcess;
  private readonly waiting = new Set<() => void>();

  constructor(words: string[], script = 'dist/demo/main.js') {
    // A shell with settings for some other installation must not lead the demo there.
    const foreign = { QUEUE_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/x' };
    this.child = spawn(process.execPath, [script, ...words], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...foreign },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.output += `${line}\n`;
        for (const look of this.waiting) look();
      });
    }
    this.exited = once(this.child, 'close').then(([code]) => code as number | null);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits until the output matches; fails with it when the demo ends before. */
  async line(pattern: RegExp): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      const look = () => {
        if (pattern.test(this.output)) resolve();
      };
      this.waiting.add(look);
      look();
    });
    const ended = this.exited.then((code): never => {
      throw new Error(`The demo ended with status ${code ?? '?'}:\n${this.output}`);
    });
    await Promise.race([seen, ended]);
  }

  found(pattern: RegExp): string {
    const match = pattern.exec(this.output);
    if (!match) throw new Error(`${String(pattern)} is not in the output:\n${this.output}`);
    return match[1] ?? '';
  }

  /** The numbers of each row. */
  table(): Record<string, number[]> {
    const rows = [...this.output.matchAll(/^ {2}│ (\w+) +│ (.+) │$/gm)];
    if (rows.length === 0) throw new Error(`There is no table in the output:\n${this.output}`);
    return Object.fromEntries(
      rows.map(([, name = '', cells = '']) => [
        name,
        cells
          .split('│')
          .map((cell) => cell.trim().replaceAll(',', ''))
          .filter((cell) => cell !== '')
          .map(Number),
      ]),
    );
  }
}

interface Running {
  name: string;
  pid: number;
}

/** The demo's processes that are alive, the database server included. */
function runningIn(folder: string): Running[] {
  const file = join(folder, 'processes.json');
  const started = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Running[]) : [];
  const postmaster = join(folder, 'postgres/postmaster.pid');
  const server = existsSync(postmaster)
    ? [{ name: 'server', pid: Number(readFileSync(postmaster, 'utf8').split('\n')[0]) }]
    : [];
  return [...started, ...server].filter(({ pid }) => isAlive(pid));
}

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function untilNothingRuns(folder: string): Promise<void> {
  while (runningIn(folder).length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
}
