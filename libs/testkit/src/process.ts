import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

export type ProcessName = 'api' | 'beat' | 'worker' | 'simulator';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface StartOptions {
  /** Until the line `started`, ms. Starting takes one second, on a busy machine several. */
  startTimeoutMs?: number;
  /** What runs instead of this Node, e.g. `['faketime', '+1h', process.execPath]`. */
  command?: [string, ...string[]];
}

/** A real process of ours, on the loopback interface, known by its pid. */
export interface RunningProcess {
  name: ProcessName;
  pid: number;
  /** Where it listens, from its own log. */
  url: string;
  /** Every line that it wrote so far: stdout (JSON) and stderr, in order of arrival. */
  logs: string[];
  exited: Promise<Exit>;
  /** Sends a signal, e.g. SIGSTOP, and does not wait. False when it has ended already. */
  signal(signal: NodeJS.Signals): boolean;
  /** Asks it to end and waits until it has. Ends it by force, and fails, after `limitMs`. */
  stop(signal?: NodeJS.Signals, limitMs?: number): Promise<Exit>;
  /** Ends it by force (SIGKILL) and waits until it is gone. */
  kill(): Promise<Exit>;
  /** Waits for a log line, one of the past included. */
  waitForLog(matches: (line: string) => boolean, timeoutMs?: number): Promise<string>;
}

const STOP_LIMIT_MS = 25_000;
const living = new Set<ChildProcess>();

// Nothing outlives the test runner, not even when a suite forgets to stop what it started.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/**
 * Starts `dist/apps/<name>/src/main.js` with exactly this environment (and `PATH`) and waits for its
 * log line `started`. Rejects with the end of its log when it ends first or takes too long.
 */
export async function startProcess(
  name: ProcessName,
  environment: Record<string, string | undefined>,
  options: StartOptions = {},
): Promise<RunningProcess> {
  const script = `dist/apps/${name}/src/main.js`;
  if (!existsSync(script)) throw new Error(`${script} is missing: build the project first`);
  const [command, ...before] = options.command ?? [process.execPath];
  const child = spawn(command, [...before, script], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  living.add(child);
  const log = new Log(child);
  const exited = new Promise<Exit>((resolve) => {
    // `close` comes after the last line has been read.
    child.once('close', (code, signal) => {
      living.delete(child);
      resolve({ code, signal });
    });
    child.once('error', (error) => {
      living.delete(child);
      log.add(error.message);
      resolve({ code: null, signal: null });
    });
  });
  const running: RunningProcess = {
    name,
    pid: child.pid ?? 0,
    url: '',
    logs: log.lines,
    exited,
    signal: (signal) => child.kill(signal),
    kill: () => {
      child.kill('SIGKILL');
      return exited;
    },
    stop: (signal = 'SIGTERM', limitMs = STOP_LIMIT_MS) => stop(running, signal, limitMs),
    waitForLog: (matches, timeoutMs = 10_000) => log.wait(matches, timeoutMs),
  };
  try {
    const line = await Promise.race([
      log.wait((text) => entry(text).msg === 'started', options.startTimeoutMs ?? 30_000),
      exited.then(({ code, signal }): never => {
        throw new Error(`ended with ${signal ?? `status ${String(code)}`}`);
      }),
    ]);
    const { address, url } = entry(line);
    running.url = loopback(address ?? url ?? '');
    return running;
  } catch (error) {
    child.kill('SIGKILL');
    const tail = log.lines.slice(-20).join('\n');
    throw new Error(`${name} did not start: ${(error as Error).message}\n${tail}`, {
      cause: error,
    });
  }
}

async function stop(running: RunningProcess, signal: NodeJS.Signals, limitMs: number) {
  running.signal(signal);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, limitMs, 'late');
  });
  const exit = await Promise.race([running.exited, late]);
  clearTimeout(timer);
  if (exit !== 'late') return exit;
  await running.kill();
  throw new Error(
    `${running.name} did not end within ${limitMs} ms of ${signal}\n${running.logs.slice(-20).join('\n')}`,
  );
}

/** The lines of a child, and those who wait for one. */
class Log {
  readonly lines: string[] = [];
  private readonly waiting = new Set<(line: string) => void>();

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.add(line);
      });
    }
  }

  add(line: string): void {
    this.lines.push(line);
    for (const look of this.waiting) look(line);
  }

  wait(matches: (line: string) => boolean, timeoutMs: number): Promise<string> {
    const past = this.lines.find(matches);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`no such log line within ${timeoutMs} ms`));
      }, timeoutMs);
      const look = (line: string) => {
        if (!matches(line)) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(line);
      };
      this.waiting.add(look);
    });
  }
}

function entry(line: string): { msg?: string; address?: string; url?: string } {
  try {
    return JSON.parse(line) as { msg?: string };
  } catch {
    return {};
  }
}

/** Whoever listens everywhere is reached on the loopback interface. */
function loopback(address: string): string {
  return address
    .replace(/\/\/(0\.0\.0\.0|\[::\]|\[::1\])(?=:|$)/, '//127.0.0.1')
    .replace(/\/$/, '');
}
