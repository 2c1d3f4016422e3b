import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

interface Entry {
  name: string;
  pid: number;
  /** When the process began, as the system reports it: a pid alone may be somebody else's by now. */
  since: string;
}

/** How long a process may take to stop by itself; ours promise 20 s. */
const STOP_LIMIT_MS = 22_000;

/** The file that remembers which processes a demo has started, for those that come after a crash. */
export class Register {
  constructor(private readonly file: string) {}

  add(name: string, pid: number): void {
    const since = startOf(pid);
    if (since !== undefined) this.write([...this.read(), { name, pid, since }]);
  }

  remove(pid: number): void {
    this.write(this.read().filter((entry) => entry.pid !== pid));
  }

  clear(): void {
    this.write([]);
  }

  /** Those that still run, this process excepted. */
  living(): Entry[] {
    return this.read().filter(({ pid, since }) => pid !== process.pid && startOf(pid) === since);
  }

  /** Asks the processes to stop, by force when they do not in time, and waits until they have exited. */
  async stop(chosen: (name: string) => boolean, limitMs = STOP_LIMIT_MS): Promise<void> {
    const isLeft = () => this.living().filter(({ name }) => chosen(name));
    signal(isLeft(), 'SIGTERM');
    await this.gone(chosen, limitMs);
    signal(isLeft(), 'SIGKILL');
    await this.gone(chosen, 2_000);
  }

  /** Resolves when none of them runs any more, or when the time is over. */
  async gone(chosen: (name: string) => boolean, limitMs: number): Promise<void> {
    const end = performance.now() + limitMs;
    while (performance.now() < end && this.living().some(({ name }) => chosen(name))) {
      await sleep(50);
    }
  }

  private read(): Entry[] {
    if (!existsSync(this.file)) return [];
    try {
      return JSON.parse(readFileSync(this.file, 'utf8')) as Entry[];
    } catch {
      return []; // written by hand, perhaps; ours is replaced as a whole
    }
  }

  private write(entries: Entry[]): void {
    const next = `${this.file}.next`;
    writeFileSync(next, JSON.stringify(entries, null, 2));
    renameSync(next, this.file);
  }
}

function signal(entries: Entry[], name: NodeJS.Signals): void {
  for (const { pid } of entries) {
    try {
      process.kill(pid, name);
    } catch {
      // Gone since we looked.
    }
  }
}

/** Undefined when there is no such process, or only what is left of it until its parent looks. */
function startOf(pid: number): string | undefined {
  return existsSync('/proc/self/stat') ? startByProc(pid) : startByPs(pid);
}

function startByProc(pid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the name in brackets, which may hold anything; the state comes after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function startByPs(pid: number): string | undefined {
  try {
    const words = ['-o', 'stat=,lstart=', '-p', String(pid)];
    const text = execFileSync('ps', words, { encoding: 'utf8', stdio: 'pipe' });
    const [state, ...start] = text.trim().split(/\s+/);
    return state?.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}
