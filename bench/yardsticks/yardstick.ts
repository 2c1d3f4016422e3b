import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a yardstick's process is told, as JSON in its only argument. */
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

/** Runs a yardstick in a process of its own, as the worker is. @returns s for the messages. */
export async function runYardstick(name: YardstickName, task: Task): Promise<number> {
  const script = `dist/bench/yardsticks/${name}.js`;
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(task)], {
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const { seconds } = JSON.parse(stdout) as { seconds: number };
  return seconds;
}

/** The other end: does the task of the argument, prints how long the counted part took. */
export function yardstick(run: (task: Task) => Promise<number>): void {
  const task = JSON.parse(process.argv[2] ?? '') as Task;
  run(task).then(
    (seconds) => {
      process.stdout.write(JSON.stringify({ seconds }));
      process.exit(0);
    },
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
}
