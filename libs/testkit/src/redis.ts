import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

export interface RedisOptions {
  port: number;
  /** Where it keeps its files and works. Created when missing. */
  directory: string;
  /** Keep what was written across restarts, as in production. Default: everything is forgotten. */
  appendonly?: boolean;
}

export interface RunningRedis {
  /** `redis://127.0.0.1:port`. */
  url: string;
  pid: number;
  /** Asks it to end and waits until it has; started again with the same options it has its data. */
  stop(): Promise<void>;
  /** Ends it by force (SIGKILL) and waits until it has exited. */
  kill(): Promise<void>;
}

const COMMAND = 'redis-server';
const READY = 'Ready to accept connections';
const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 10_000;
const KEPT_LINES = 20;
const living = new Set<ChildProcess>();

// It ends with the process that started it, also when that does not stop it.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** Whether a Redis of our own can be started here. */
export function isRedisInstalled(): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, COMMAND), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * A Redis of our own on the loopback interface, with the settings that the queue demands.
 * Rejects with the end of its log when it does not start, and when it is not installed.
 */
export async function startRedis(options: RedisOptions): Promise<RunningRedis> {
  const { port, directory, appendonly = false } = options;
  mkdirSync(directory, { recursive: true });
  const child = spawn(
    COMMAND,
    [
      ...['--port', String(port)],
      ...['--bind', '127.0.0.1'],
      ...['--dir', directory],
      ...['--save', ''],
      ...['--appendonly', appendonly ? 'yes' : 'no'],
      // An evicted key would be a lost job.
      ...['--maxmemory-policy', 'noeviction'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  living.add(child);
  const exited = new Promise<void>((resolve) => {
    const forget = () => {
      living.delete(child);
      resolve();
    };
    child.once('exit', forget).once('error', forget);
  });
  try {
    await untilReady(child);
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    throw error;
  }
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    kill: () => end('SIGKILL'),
    stop: async () => {
      const force = setTimeout(() => void end('SIGKILL'), STOP_LIMIT_MS);
      await end('SIGTERM');
      clearTimeout(force);
    },
  };
}

function untilReady(child: ChildProcess): Promise<void> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(fail, START_LIMIT_MS, `was not ready within ${START_LIMIT_MS} ms`);
    function fail(how: string): void {
      clearTimeout(timer);
      reject(new Error([`${COMMAND} ${how}`, ...lines.slice(-KEPT_LINES)].join('\n')));
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      fail(error.code === 'ENOENT' ? 'is not installed' : `did not start: ${error.message}`);
    });
    child.once('close', (code, signal) => {
      fail(`ended with ${signal ?? `status ${String(code)}`}`);
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        if (lines.length > KEPT_LINES) lines.shift();
        if (!line.includes(READY)) return;
        clearTimeout(timer);
        resolve();
      });
    }
  });
}
