import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backend, CrashablePostgres, isRedisInstalled } from '@app/testkit';
import { type Options, parseOptions } from './options.js';
import { runScenario, type Result, type Suite } from './run-scenario.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios/index.js';
import { sideBySide } from './side-by-side.js';

const LOGS = '.posthorn/faults';

interface Run {
  scenario: Scenario;
  backend: Backend;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-faults-'));
  const runs = plan(options);
  if (runs.length === 0) throw new TypeError('no scenario has such a name');
  const servers = await Promise.all(
    Array.from({ length: Math.min(options.jobs, runs.length) }, (_, lane) =>
      CrashablePostgres.start(join(directory, `lane-${lane}`, 'postgres')),
    ),
  );
  try {
    const results = await sideBySide(runs, options.jobs, async ({ scenario, backend }, lane) => {
      const postgres = servers[lane];
      if (!postgres) throw new Error(`lane ${lane} has no server`);
      const suite: Suite = { postgres, directory, seed: options.seed };
      const result = await runScenario(scenario, backend, suite);
      show(result, options);
      return result;
    });
    return results.every(isGreen) ? 0 : 1;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

function plan({ only, backend }: Options): Run[] {
  const backends: Backend[] = isRedisInstalled() ? ['postgres', 'redis'] : ['postgres'];
  return SCENARIOS.filter(({ name }) => only === undefined || name.includes(only)).flatMap(
    (scenario) =>
      scenario.backends
        .filter((name) => backends.includes(name))
        .filter((name) => backend === undefined || name === backend)
        .map((name) => ({ scenario, backend: name })),
  );
}

function isGreen({ violations, failures }: Result): boolean {
  return violations.length === 0 && failures.length === 0;
}

function show(result: Result, { json }: Options): void {
  const { logs, ...shown } = result;
  if (json) {
    process.stdout.write(`${JSON.stringify(shown)}\n`);
  } else {
    const { scenario, backend, messages, duplicates, resumeMs, tookMs } = result;
    const seconds = (ms: number | null) => (ms === null ? '–' : `${(ms / 1000).toFixed(1)} s`);
    console.log(
      `${isGreen(result) ? '✓' : '✗'} ${scenario} (${backend}): ${messages} messages, ` +
        `${duplicates} duplicates, resumed after ${seconds(resumeMs)}, took ${seconds(tookMs)}`,
    );
    for (const { invariant, what } of result.violations) console.log(`    ${invariant}: ${what}`);
    for (const failure of result.failures) console.log(`    ${failure}`);
  }
  if (isGreen(result)) return;
  mkdirSync(LOGS, { recursive: true });
  writeFileSync(join(LOGS, `${result.scenario}-${result.backend}.log`), logs.join('\n'));
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
