import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { isRedisInstalled } from '@app/testkit';
import { PROOFS } from './proofs.js';
import { SCENARIOS } from './scenarios/index.js';

/** One line of the suite's output: a scenario on a backend, or a proof of the checker. */
interface Line {
  scenario?: string;
  backend?: string;
  violations?: unknown[];
  failures?: string[];
  proof?: string;
  missing?: string[];
}

const LIMIT_MS = 480_000;

/** The short selection runs once, in processes of its own; each test waits for its own line. */
describe('the short selection of the fault suite', () => {
  const backends = isRedisInstalled() ? ['postgres', 'redis'] : ['postgres'];
  const runs = SCENARIOS.filter(({ short }) => short).flatMap((scenario) =>
    scenario.backends
      .filter((backend) => backends.includes(backend))
      .map((backend) => [scenario.name, backend, scenario.holds] as const),
  );
  const proofs = PROOFS.filter(({ short }) => short).map(({ name, breaks }) => [name, breaks]);
  const lines: Line[] = [];
  let complaints = '';
  let suite: ChildProcess;
  let output: Readable;
  let ended: Promise<'end'>;

  beforeAll(() => {
    const child = spawn(process.execPath, ['dist/test/faults/main.js', '--short', '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: child.stdout }).on('line', (text) => {
      lines.push(JSON.parse(text) as Line);
    });
    child.stderr.on('data', (chunk) => (complaints += String(chunk)));
    suite = child;
    output = child.stdout;
    ended = once(child, 'close').then(() => 'end');
  });

  const find = async (matches: (line: Line) => boolean): Promise<Line> => {
    for (;;) {
      const line = lines.find(matches);
      if (line) return line;
      const more = once(output, 'data').then(() => 'more' as const);
      if ((await Promise.race([more, ended])) === 'more') continue;
      const last = lines.find(matches);
      if (last) return last;
      throw new Error(`the suite ended without this result\n${complaints}`);
    }
  };

  afterAll(async () => {
    suite.kill('SIGTERM');
    await ended;
  });

  it.each(runs)(
    '%s (%s): %s',
    async (scenario, backend) => {
      const line = await find((it) => it.scenario === scenario && it.backend === backend);
      expect({ violations: line.violations, failures: line.failures }).toEqual({
        violations: [],
        failures: [],
      });
    },
    LIMIT_MS,
  );

  it.each(proofs)(
    'goes red under the sabotage %s: %s',
    async (name) => {
      const line = await find((it) => it.proof === name);
      expect(line.missing).toEqual([]);
    },
    LIMIT_MS,
  );
});
