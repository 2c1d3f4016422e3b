import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Counter, metrics } from '../metrics/metrics.js';

/** Lines that wait for a slow reader, in characters; what comes on top of that is dropped. */
const MOST_WAITING = 1_048_576;
const RETRY_MS = 20;
/** How long the end of the process waits for a slow reader. */
const LAST_WAIT_MS = 200;

const dropped = new Counter({
  name: 'posthorn_log_lines_dropped_total',
  help: 'Log lines that could not be written: the disk is full, or nobody reads them',
  registers: [metrics],
});

/**
 * Where log lines go. They are written at the end of the loop's turn, all in one piece, and never
 * waited for: what a full disk refuses is dropped and counted, and so is what a reader who does not
 * read leaves no room for. pino's own destination tries again for ever, in the loop and at exit.
 */
export class LogStream {
  private waiting: string[] = [];
  private waitingSize = 0;
  /** The rest of a piece that the reader took only a part of. */
  private rest: Buffer = Buffer.alloc(0);
  private scheduled = false;
  private droppedSinceLine = 0;
  /** How many dropped lines the notice in `rest` reports. */
  private noticed = 0;
  private endsWithNewline = true;
  private fd: number | undefined;

  /** @param open gives the descriptor, whose writes must not block; asked for at the first line. */
  constructor(
    private readonly open: () => number,
    private readonly counter: { inc: (lines: number) => void } = dropped,
  ) {}

  /** One line with its newline, as pino gives it. */
  write(line: string): void {
    if (this.waitingSize + this.rest.length + line.length > MOST_WAITING) {
      this.drop(1);
      return;
    }
    this.waiting.push(line);
    this.waitingSize += line.length;
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.turn();
    });
  }

  /** What waits, as far as that takes no longer than a moment: for the end of the process. */
  flushSync(): void {
    const until = performance.now() + LAST_WAIT_MS;
    while (!this.tryToWrite() && performance.now() < until) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }

  private turn(): void {
    this.scheduled = !this.tryToWrite();
    if (!this.scheduled) return;
    setTimeout(() => {
      this.turn();
    }, RETRY_MS).unref();
  }

  /** @returns whether nothing waits any more: it was written or dropped. */
  private tryToWrite(): boolean {
    try {
      this.fd ??= this.open();
      for (;;) {
        if (this.rest.length === 0) {
          this.noticed = 0;
          if (!this.nextPiece()) return true;
        }
        const written = writeSync(this.fd, this.rest);
        if (written > 0) this.endsWithNewline = this.rest[written - 1] === 0x0a;
        this.rest = this.rest.subarray(written);
        if (this.rest.length > 0 && written === 0) return false;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      this.dropAll();
      return true;
    }
  }

  private nextPiece(): boolean {
    if (this.waiting.length === 0) return false;
    this.noticed = this.droppedSinceLine;
    this.droppedSinceLine = 0;
    const notice = this.noticed > 0 ? noticeOf(this.noticed) : '';
    // What was cut in the middle must not spoil the next line.
    const text = (this.endsWithNewline ? '' : '\n') + notice + this.waiting.join('');
    this.rest = Buffer.from(text);
    this.waiting = [];
    this.waitingSize = 0;
    return true;
  }

  private dropAll(): void {
    const lines = linesIn(this.rest) - (this.noticed > 0 ? 1 : 0);
    this.drop(this.waiting.length + Math.max(0, lines));
    this.droppedSinceLine += this.noticed;
    this.noticed = 0;
    this.waiting = [];
    this.waitingSize = 0;
    this.rest = this.rest.subarray(this.rest.length);
  }

  private drop(lines: number): void {
    this.counter.inc(lines);
    this.droppedSinceLine += lines;
  }
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (const byte of bytes) if (byte === 0x0a) lines++;
  return lines;
}

function noticeOf(lines: number): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ level: 'warn', time, lines, msg: 'log lines were dropped' })}\n`;
}

/**
 * A descriptor for what the process writes to stdout or stderr, whose writes return at once. Node
 * makes pipes and sockets so when it opens its own stream on them; a terminal is opened again, so
 * that the shell's own descriptor stays as it is; a file answers at once anyway.
 */
function openWithoutWaiting(fd: 1 | 2): number {
  const { isCharacterDevice, isFile } = kindOf(fd);
  if (isFile) return fd;
  if (!isCharacterDevice) {
    return (fd === 1 ? process.stdout : process.stderr).fd;
  }
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd; // another user's terminal, or no /proc
  }
}

function kindOf(fd: number): { isCharacterDevice: boolean; isFile: boolean } {
  try {
    const stat = fstatSync(fd);
    return { isCharacterDevice: stat.isCharacterDevice(), isFile: stat.isFile() };
  } catch {
    return { isCharacterDevice: false, isFile: true }; // closed: each write says so
  }
}

/** For the last words of a process. */
export function writeLastWords(text: string): void {
  const stream = new LogStream(() => openWithoutWaiting(2), { inc: () => undefined });
  stream.write(text);
  stream.flushSync();
}

let shared: LogStream | undefined;

/** The one stream of this process's log; what waits at its end is written as far as it goes. */
export function logStream(): LogStream {
  if (!shared) {
    const stream = new LogStream(() => openWithoutWaiting(1));
    process.on('exit', () => {
      stream.flushSync();
    });
    shared = stream;
  }
  return shared;
}
