import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { messageOf } from '@app/platform';

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
  /** The folder of another, built checkout whose process is to run. Default: this one's. */
  checkout?: string;
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
  /** Ends it by force (SIGKILL) and waits until it has exited. */
  kill(): Promise<Exit>;
  /** Waits for a log line, one of the past included. */
  waitForLog(matches: (line: string) => boolean, timeoutMs?: number): Promise<string>;
}

const COMPILE_CACHE = 'NODE_COMPILE_CACHE';
const STOP_LIMIT_MS = 25_000;
const living = new Set<ChildProcess>();

// Every process ends with the test runner, also when a suite does not stop it.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/**
 * Tests start hundreds of processes, each from the same files: with their code compiled already that
 * takes a fifth less CPU. Not for measurements, which are of processes as they are started for use.
 */
export function shareCompiledCode(): void {
  process.env[COMPILE_CACHE] ??= resolve('node_modules/.cache/compile');
}

function compileCache(): Record<string, string> {
  const folder = process.env[COMPILE_CACHE];
  return folder === undefined ? {} : { [COMPILE_CACHE]: folder };
}

/**
 * Starts `dist/apps/<name>/src/main.js` with exactly this environment (and `PATH`, and what
 * `shareCompiledCode` sets) and waits for its log line `started`. Rejects with the end of its log when
 * it ends first or takes too long.
 */
export async function startProcess(
  name: ProcessName,
  environment: Record<string, string | undefined>,
  options: StartOptions = {},
): Promise<RunningProcess> {
  const cwd = resolve(options.checkout ?? '.');
  const script = join(cwd, `dist/apps/${name}/src/main.js`);
  if (!existsSync(script)) throw new Error(`${script} is missing: build the project first`);
  const [command, ...before] = options.command ?? [process.execPath];
  const child = spawn(command, [...before, script], {
    cwd,
    env: { PATH: process.env.PATH, ...compileCache(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  living.add(child);
  const log = new Log(child);
  const exited = new Promise<Exit>((resolve) => {
    // `close` comes after the last line has been read.
    const end = (exit: Exit) => {
      living.delete(child);
      log.end();
      resolve(exit);
    };
    child.once('close', (code, signal) => {
      end({ code, signal });
    });
    child.once('error', (error) => {
      log.add(error.message);
      end({ code: null, signal: null });
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
    const isStart = (text: string) => entry(text).msg === 'started';
    const line = await log.wait(isStart, options.startTimeoutMs ?? 30_000);
    const { address, url } = entry(line);
    running.url = loopback(address ?? url ?? '');
    return running;
  } catch (error) {
    const { exitCode, signalCode } = child;
    const ended = exitCode !== null || signalCode !== null;
    child.kill('SIGKILL');
    const reason = ended ? `ended with ${signalCode ?? `status ${exitCode}`}` : messageOf(error);
    const tail = log.lines.slice(-20).join('\n');
    throw new Error(`${name} did not start: ${reason}\n${tail}`, { cause: error });
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
  private readonly waiting = new Set<Waiter>();
  private ended = false;

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
    for (const waiter of this.waiting) waiter.look(line);
  }

  /** No line will come any more. */
  end(): void {
    this.ended = true;
    for (const waiter of this.waiting) waiter.giveUp('the process has ended');
  }

  wait(matches: (line: string) => boolean, timeoutMs: number): Promise<string> {
    const past = this.lines.find(matches);
    if (past !== undefined) return Promise.resolve(past);
    if (this.ended) return Promise.reject(new Error('the process has ended'));
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        this.waiting.delete(waiter);
      };
      const waiter: Waiter = {
        look: (line) => {
          if (!matches(line)) return;
          done();
          resolve(line);
        },
        giveUp: (reason) => {
          done();
          reject(new Error(`no such log line: ${reason}`));
        },
      };
      const timer = setTimeout(waiter.giveUp, timeoutMs, `not within ${timeoutMs} ms`);
      this.waiting.add(waiter);
    });
  }
}

interface Waiter {
  look: (line: string) => void;
  giveUp: (reason: string) => void;
}

function entry(line: string): { msg?: string; address?: string; url?: string } {
  try {
    return JSON.parse(line) as { msg?: string };
  } catch {
    return {};
  }
}

/** A process that listens everywhere is reached on the loopback interface. */
function loopback(address: string): string {
  return address
    .replace(/\/\/(0\.0\.0\.0|\[::\]|\[::1\])(?=:|$)/, '//127.0.0.1')
    .replace(/\/$/, '');
}
