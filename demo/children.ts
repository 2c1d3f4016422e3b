import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environment } from '@app/platform';
import type { Register } from './register.js';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 22_000;
const SHOWN_LINES = 15;

/** A process of the demo failed; the message shows the end of its log. */
export class ChildError extends Error {}

interface Child {
  name: string;
  process: ChildProcess;
  exited: Promise<void>;
}

export interface ChildOptions {
  /** `apps/api/src/main.js`, inside `dist`. */
  script: string;
  words?: string[];
  /** Only these, and the user's shell's own variables; none of our settings. */
  environment?: Record<string, string>;
  /** The keeper talks over its pipes; the others have a log file. */
  pipes?: boolean;
}

/** The processes of the demo: each with a log file, an entry in the register, and a watch for its end. */
export class Children {
  /** Rejects with ChildError when one of them ends by itself. */
  readonly failure: Promise<never>;
  private readonly fail: (error: ChildError) => void;
  private readonly running = new Map<string, Child>();
  private readonly known = new Map<string, ChildOptions>();
  private readonly expected = new Set<ChildProcess>();

  /** @param onEnd What to do with one that ends by itself, instead of `failure`. */
  constructor(
    private readonly folder: string,
    private readonly register: Register,
    onEnd?: (error: ChildError) => void,
  ) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined); // who waits for it gets the error; perhaps nobody waits
    this.failure = promise;
    this.fail = onEnd ?? reject;
  }

  start(name: string, options: ChildOptions): ChildProcess {
    const log = openSync(this.logOf(name), 'w');
    const words = [join('dist', options.script), ...(options.words ?? [])];
    const child = spawn(process.execPath, words, {
      // A group of its own: a terminal's Ctrl-C goes to us alone, and we stop the others in order.
      detached: true,
      env: { ...withoutOurSettings(process.env), ...options.environment },
      stdio: options.pipes ? ['pipe', 'pipe', log] : ['ignore', log, log],
    });
    closeSync(log);
    this.known.set(name, options);
    const { pid } = child;
    if (pid !== undefined) this.register.add(name, pid);
    const exited = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        this.ended(name, child, signal ?? `status ${code ?? '?'}`);
        resolve();
      });
      child.once('error', (error) => {
        this.ended(name, child, error.message);
        resolve();
      });
    });
    this.running.set(name, { name, process: child, exited });
    return child;
  }

  /** Runs a process to its end. @throws ChildError when it does not end well. */
  async run(name: string, options: ChildOptions): Promise<void> {
    const child = this.start(name, options);
    this.expected.add(child);
    await this.running.get(name)?.exited;
    if (child.exitCode !== 0) throw this.error(name, `ended with status ${child.exitCode ?? '?'}`);
  }

  /** Waits until the process says that it is ready. */
  async ready(name: string, url: string): Promise<void> {
    const end = performance.now() + START_LIMIT_MS;
    while (performance.now() < end) {
      if (!this.running.has(name)) throw this.error(name, 'ended before it was ready');
      if (await answers(url)) return;
      await sleep(50);
    }
    throw this.error(name, `was not ready within ${START_LIMIT_MS / 1000} s`);
  }

  /** Ends those that are named and waits for them; what they still have in hand, they finish. */
  async stop(names: string[]): Promise<void> {
    const children = names.flatMap((name) => this.running.get(name) ?? []);
    for (const child of children) {
      this.expected.add(child.process);
      child.process.stdin?.end();
      // The keeper ends when its pipe does, and not before it has put the database away.
      if (!child.process.stdin) child.process.kill('SIGTERM');
    }
    const all = Promise.all(children.map(({ exited }) => exited));
    await Promise.race([all, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
    for (const child of children) {
      if (this.running.has(child.name)) child.process.kill('SIGKILL');
    }
    await all;
  }

  /** Ends it if it runs, and starts it as it was started before. */
  async restart(name: string): Promise<void> {
    await this.stop([name]);
    this.start(name, this.optionsOf(name));
  }

  /** Runs it again, as it was run before. @throws ChildError when it does not end well. */
  async rerun(name: string): Promise<void> {
    await this.run(name, this.optionsOf(name));
  }

  private optionsOf(name: string): ChildOptions {
    const options = this.known.get(name);
    if (!options) throw new Error(`${name} was never started`);
    return options;
  }

  private ended(name: string, child: ChildProcess, how: string): void {
    if (child.pid !== undefined) this.register.remove(child.pid);
    this.running.delete(name);
    if (!this.expected.has(child)) this.fail(this.error(name, `ended with ${how}`));
  }

  private error(name: string, what: string): ChildError {
    const lines = readFileSync(this.logOf(name), 'utf8').trimEnd().split('\n').slice(-SHOWN_LINES);
    return new ChildError(
      [`${name} ${what}. The end of ${this.logOf(name)}:`, ...lines].join('\n    '),
    );
  }

  private logOf(name: string): string {
    return join(this.folder, `${name}.log`);
  }
}

/** A QUEUE_URL of the user's shell must not lead the demo to somebody's Redis. */
function withoutOurSettings(source: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(source).filter(([name]) => !(name in environment.shape)),
  );
}

async function answers(url: string): Promise<boolean> {
  try {
    const { ok } = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return ok;
  } catch {
    return false;
  }
}
