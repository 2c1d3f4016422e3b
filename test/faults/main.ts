import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backend, CrashablePostgres, isRedisInstalled, shareCompiledCode } from '@app/testkit';
import { format, resolveConfig } from 'prettier';
import { type Options, parseOptions } from './options.js';
import { missingFrom, type Proof, PROOFS } from './proofs.js';
import { line, type Proven, report } from './report.js';
import { failedResult, isGreen, type Result, runScenario, type Suite } from './run-scenario.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios/index.js';
import { sideBySide } from './side-by-side.js';
import { soak } from './soak.js';

const LOGS = '.posthorn/faults';
const REPORT = 'docs/faults.md';

type Run = { scenario: Scenario; backend: Backend } & ({ proof?: undefined } | { proof: Proof });

async function main(): Promise<number> {
  shareCompiledCode();
  const options = parseOptions(process.argv.slice(2));
  const runs = plan(options);
  if (runs.length === 0) throw new TypeError('no scenario has such a name');
  const results: Result[] = [];
  const proven: Proven[] = [];
  await withServers(Math.min(options.jobs, runs.length), options.seed, async (suites) => {
    await sideBySide(runs, suites, async ({ scenario, backend, proof }, suite) => {
      const result = await runScenario(scenario, backend, suite, proof?.sabotage).catch(
        (error: unknown) => failedResult(scenario, backend, error),
      );
      if (proof)
        proven.push(tellProof({ proof, result, missing: missingFrom(proof, result) }, options));
      else results.push(tell(result, options));
    });
  });
  const order = (name: string) => SCENARIOS.findIndex((scenario) => scenario.name === name);
  results.sort((a, b) => order(a.scenario) - order(b.scenario));
  if (isWhole(options)) await write(report(results, proven, options.seed));
  const green = results.every(isGreen) && proven.every(({ missing }) => missing.length === 0);
  return green ? 0 : 1;
}

/** A server for each lane, for scenarios crash theirs. Nothing of them stays. */
async function withServers(
  lanes: number,
  seed: number,
  work: (suites: Suite[]) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-faults-'));
  process.once('exit', () => {
    rmSync(directory, { recursive: true, force: true });
  });
  chmodSync(directory, 0o755); // PostgreSQL runs as another user when we are root
  const suites: Suite[] = [];
  try {
    for (let lane = 0; lane < lanes; lane++) {
      const own = join(directory, `lane-${lane}`);
      const postgres = await CrashablePostgres.start(join(own, 'postgres'));
      suites.push({ directory: own, postgres, seed });
    }
    await work(suites);
  } finally {
    await Promise.all(suites.map(({ postgres }) => postgres.stop()));
  }
}

function plan(options: Options): Run[] {
  const { only, backend, part, short, soakMinutes } = options;
  const hasRedis = isRedisInstalled();
  if (!hasRedis) console.error('redis-server is not installed: only the PostgreSQL queue is tried');
  const here = (name: Backend) =>
    (name === 'postgres' || hasRedis) && (backend === undefined || name === backend);
  const wanted = (name: string) => only === undefined || name === only || name.includes(only);
  const onBackends = (scenario: Scenario): Run[] =>
    scenario.backends.filter(here).map((name) => ({ scenario, backend: name }));
  if (soakMinutes !== undefined) {
    return onBackends(soak(soakMinutes, console.error));
  }
  const isPart = (item: { short?: boolean }) => !short || item.short === true;
  const scenarios = SCENARIOS.filter((item) => wanted(item.name) && isPart(item)).flatMap(
    onBackends,
  );
  const proofs = PROOFS.filter(
    (proof) => wanted(proof.name) && isPart(proof) && here(proof.backend),
  ).map((proof) => {
    const scenario = SCENARIOS.find(({ name }) => name === proof.scenario);
    if (!scenario) throw new Error(`there is no scenario ${proof.scenario}`);
    return { scenario, backend: proof.backend, proof };
  });
  return [...(part === 'proofs' ? [] : scenarios), ...(part === 'scenarios' ? [] : proofs)];
}

/** In the shape in which every page is kept. */
async function write(text: string): Promise<void> {
  const style = await resolveConfig(REPORT);
  writeFileSync(REPORT, await format(text, { ...style, filepath: REPORT }));
}

function isWhole({ only, backend, part, short, soakMinutes }: Options): boolean {
  return (
    !short &&
    only === undefined &&
    backend === undefined &&
    part === 'all' &&
    soakMinutes === undefined
  );
}

function tell(result: Result, { json }: Options): Result {
  const { logs, ...shown } = result;
  if (json) process.stdout.write(`${JSON.stringify(shown)}\n`);
  else {
    console.log(line(result));
    for (const { invariant, what } of result.violations) console.log(`    ${invariant}: ${what}`);
    for (const failure of result.failures) console.log(`    ${failure}`);
  }
  if (!isGreen(result)) {
    mkdirSync(LOGS, { recursive: true });
    writeFileSync(join(LOGS, `${result.scenario}-${result.backend}.log`), logs.join('\n'));
  }
  return result;
}

function tellProof(proven: Proven, { json }: Options): Proven {
  const { proof, result, missing } = proven;
  const red = [...new Set(result.violations.map(({ invariant }) => invariant))];
  if (json) process.stdout.write(`${JSON.stringify({ proof: proof.name, red, missing })}\n`);
  else if (missing.length > 0) console.log(`✗ proof ${proof.name}: ${missing.join('; ')}`);
  else console.log(`✓ proof ${proof.name}: ${red.join(', ')} went red in ${proof.scenario}`);
  return proven;
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
