import {
  type Backend,
  checkInvariants,
  Cluster,
  type CrashablePostgres,
  type Evidence,
  readFinalState,
  type ReceivedMessage,
  type Stopped,
  type Usage,
  UsageSampler,
  type Violation,
  waitFor,
} from '@app/testkit';
import { preload } from './preload.js';
import { Random, seedOf } from './random.js';
import type { Sabotage, Scenario } from './scenario.js';
import { Trial } from './trial.js';

export interface Suite {
  postgres: CrashablePostgres;
  directory: string;
  seed: number;
}

export interface Result {
  scenario: string;
  holds: string;
  backend: Backend;
  messages: number;
  /** Messages that were taken more than once, each with an `unknown` attempt. */
  duplicates: number;
  /** The longest time that sending took to resume; null where nothing stopped. */
  resumeMs: number | null;
  tookMs: number;
  /** Empty: all invariants and all that the scenario expects were kept. */
  violations: Violation[];
  usage: readonly Usage[];
  failures: string[];
  logs: readonly string[];
}

export function isGreen({ violations, failures }: Result): boolean {
  return violations.length === 0 && failures.length === 0;
}

/** The result when the processes could not even be started or looked at. */
export function failedResult(scenario: Scenario, backend: Backend, error: unknown): Result {
  const { name, holds } = scenario;
  const failures = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  const nothing = { messages: 0, duplicates: 0, resumeMs: null, tookMs: 0 };
  return {
    scenario: name,
    holds,
    backend,
    ...nothing,
    violations: [],
    usage: [],
    failures,
    logs: [],
  };
}

const SETTLE_MS = 60_000;
const STOP_LIMIT_MS = 20_000;

/** Starts the processes, breaks them, repairs them, waits until they are idle, and checks what they left behind. */
export async function runScenario(
  scenario: Scenario,
  backend: Backend,
  suite: Suite,
  sabotage: Sabotage = {},
): Promise<Result> {
  const startedAt = performance.now();
  const cluster = await Cluster.start({
    backend,
    postgres: suite.postgres,
    directory: suite.directory,
    ...(scenario.workers !== undefined && { workers: scenario.workers }),
    ...(scenario.beats !== undefined && { beats: scenario.beats }),
    ...(scenario.concurrency !== undefined && { concurrency: scenario.concurrency }),
    secondProvider: scenario.secondChannel ?? false,
    environment: {
      ...(scenario.secondChannel && preload('second-channel')),
      ...scenario.environment,
      ...sabotage.environment,
    },
    ...(sabotage.prepare && { prepare: sabotage.prepare }),
  });
  const trial = new Trial(cluster, new Random(seedOf(suite.seed, scenario.name, backend)));
  trial.duplicates = scenario.duplicates ?? 0;
  const sampler = new UsageSampler(cluster, scenario.refusedOutcomes);
  try {
    await attempt(trial, () => scenario.run(trial));
    await trial.releaseLocks();
    await cluster.heal();
    await attempt(trial, () => settle(trial, sabotage.settleMs ?? scenario.settleMs ?? SETTLE_MS));
    const seen = await sampler.stop();
    trial.expect(seen.looks > 0, 'nobody looked at the counters while it ran');
    trial.failures.push(...badEnds(await cluster.stopApps()));
    const evidence = await collect(scenario, trial, seen);
    return {
      scenario: scenario.name,
      holds: scenario.holds,
      backend,
      messages: evidence.database.messages.length,
      duplicates: evidence.received.filter(({ accepted }) => accepted > 1).length,
      resumeMs: longest(trial),
      tookMs: performance.now() - startedAt,
      violations: checkInvariants(evidence),
      usage: evidence.usage,
      failures: trial.failures,
      logs: evidence.logs,
    };
  } finally {
    await sampler.stop();
    await cluster.destroy();
  }
}

/** An error here does not keep the other checks from running. */
async function attempt(trial: Trial, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { message, cause } = error as Error;
    const because = cause instanceof Error ? ` (${cause.message})` : '';
    trial.failures.push(`${message}${because}`);
  }
}

/** Until nothing is left to do: every mailing has ended, every deleted one is purged. */
async function settle(trial: Trial, timeoutMs: number): Promise<void> {
  await waitFor(
    async () => {
      const open = await trial.sql(
        `SELECT id FROM mailings WHERE finished_at IS NULL OR deleted_at IS NOT NULL`,
      );
      return open.length === 0;
    },
    { timeoutMs, what: 'everything has come to its end', everyMs: 200 },
  );
}

function badEnds(ends: Stopped[]): string[] {
  return ends.flatMap(({ name, code, signal, tookMs }) => {
    if (code === 0 && tookMs <= STOP_LIMIT_MS) return [];
    return [
      `${name} ended with ${signal ?? `status ${String(code)}`} after ${Math.round(tookMs)} ms`,
    ];
  });
}

async function collect(
  scenario: Scenario,
  trial: Trial,
  seen: Awaited<ReturnType<UsageSampler['stop']>>,
): Promise<Evidence> {
  const { cluster, acknowledged, audiences, phones, resumptions } = trial;
  return {
    acknowledged,
    audiences,
    database: {
      ...(await readFinalState(cluster.db)),
      disagreements: seen.disagreements,
      disagreeingBooks: seen.disagreeingBooks,
    },
    received: await receivedByAll(cluster),
    duplicates: {
      allowed: trial.duplicates,
      answersMayGetLost: scenario.answersMayGetLost ?? false,
    },
    usage: seen.usage,
    logs: cluster.all.flatMap(({ logs }) => logs),
    secrets: { tokens: trial.secrets, phones },
    resumptions,
  };
}

/** A message that was moved to another lane may have come to both providers. */
async function receivedByAll({ provider, second }: Cluster): Promise<ReceivedMessage[]> {
  const byFirst = await provider.received();
  if (!second) return byFirst;
  const byId = new Map<number, ReceivedMessage>(byFirst.map((message) => [message.id, message]));
  for (const message of await second.provider.received()) {
    const other = byId.get(message.id);
    byId.set(message.id, {
      id: message.id,
      times: [...(other?.times ?? []), ...message.times],
      accepted: (other?.accepted ?? 0) + message.accepted,
      oks: (other?.oks ?? 0) + message.oks,
    });
  }
  return [...byId.values()];
}

function longest({ resumptions }: Trial): number | null {
  const times = resumptions.flatMap(({ tookMs }) => tookMs ?? []);
  return times.length === 0 ? null : Math.max(...times);
}
