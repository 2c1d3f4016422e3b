import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The options of a yardstick's process, as JSON in its only argument. */
export interface Task {
  queueUrl: string;
  /** For those that use a database; its clients are the audience. */
  databaseUrl: string;
  providerUrl: string;
  token: string;
  text: string;
  messages: number;
  /** Messages to go through before, not counted. */
  warmUp: number;
  /** Calls at a time. */
  concurrency: number;
}

export type YardstickName = 'bare-bullmq' | 'row-at-a-time';

const LIMIT_MS = 300_000;

export interface Effort {
  /** For the counted messages. */
  seconds: number;
  /** Of the yardstick's own process in that time. */
  cpuSeconds: number;
}

/** Runs a yardstick in a process of its own, as the worker is. */
export async function runYardstick(name: YardstickName, task: Task): Promise<Effort> {
  const script = `dist/bench/yardsticks/${name}.js`;
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(task)], {
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  return JSON.parse(stdout) as Effort;
}

/** The other end: does the task of the argument and prints the effort of the counted part. */
export function yardstick(run: (task: Task) => Promise<Effort>): void {
  const task = JSON.parse(process.argv[2] ?? '') as Task;
  run(task).then(
    (effort) => {
      process.stdout.write(JSON.stringify(effort));
      process.exit(0);
    },
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
}

export async function measureEffort(run: () => Promise<void>): Promise<Effort> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return {
    seconds: (performance.now() - startedAt) / 1_000,
    cpuSeconds: (user + system) / 1_000_000,
  };
}
