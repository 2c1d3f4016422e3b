import type { Socket } from 'node:net';

/** A longer head, or more of them before one answer, is passed to the HTTP client, which refuses it. */
const LONGEST_HEAD = 16 * 1_024;
const MOST_SKIPPED = 16;

/** The `?` stands for the minor version; what follows is a space or the end of the line. */
const STATUS_LINE = 'HTTP/1.? 100';
const FIRST_DIGIT = 'HTTP/1.1 '.length;
const END_OF_HEAD = '\r\n\r\n';
const NOTHING: Buffer = Buffer.alloc(0);

type Write = (chunk: unknown, encoding: unknown, done: unknown) => boolean;

/**
 * Takes `100 Continue` out of what a connection receives. RFC 9110 lets a server send it unasked and
 * has a client read on; undici ends the connection instead, so that each message which such a
 * provider took would count as unknown and be sent again.
 *
 * It wraps the socket's `read`, through which undici takes all that it parses, and looks at the bytes
 * only between a request's first byte and the first byte of its final answer: bodies are never
 * touched. A connection carries one call at a time, so a write always belongs to a new request.
 */
export function skipContinue(socket: Socket): void {
  const filter = new ContinueFilter();
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  const write = socket.write.bind(socket) as Write;
  socket.read = (size?: number): Buffer | null => {
    if (size === 0 || !filter.awaiting) return read(size);
    for (;;) {
      const chunk = read(size);
      if (chunk === null) return null;
      const rest = filter.pass(chunk);
      if (rest !== null) return rest;
    }
  };
  const writeRequest: Write = (chunk, encoding, done) => {
    filter.requestBegins();
    return write(chunk, encoding, done);
  };
  socket.write = writeRequest as Socket['write'];
}

/** Decides which of an answer's bytes are passed to the parser. */
export class ContinueFilter {
  /** A request was written and its final answer has not begun. */
  awaiting = false;
  private held: Buffer = NOTHING;
  private skipped = 0;

  requestBegins(): void {
    this.awaiting = true;
    this.skipped = 0;
  }

  /** @returns the bytes for the parser; null while they may still be an interim answer. */
  pass(chunk: Buffer): Buffer | null {
    let bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    let searchedUpTo = Math.max(0, this.held.length - END_OF_HEAD.length);
    this.held = NOTHING;
    while (bytes.length > 0) {
      if (!mayBeContinue(bytes) || this.skipped === MOST_SKIPPED) return this.finalAnswer(bytes);
      const end = bytes.indexOf(END_OF_HEAD, searchedUpTo, 'latin1');
      if (end < 0) {
        if (bytes.length > LONGEST_HEAD) return this.finalAnswer(bytes);
        this.held = bytes;
        return null;
      }
      this.skipped++;
      bytes = bytes.subarray(end + END_OF_HEAD.length);
      searchedUpTo = 0;
    }
    return null;
  }

  private finalAnswer(bytes: Buffer): Buffer {
    this.awaiting = false;
    return bytes;
  }
}

function mayBeContinue(bytes: Buffer): boolean {
  // Nearly all: the status begins with another digit.
  if (bytes.length > FIRST_DIGIT && bytes[FIRST_DIGIT] !== 0x31) return false;
  const start = bytes.toString('latin1', 0, STATUS_LINE.length + 1);
  for (let index = 0; index < Math.min(start.length, STATUS_LINE.length); index++) {
    const expected = STATUS_LINE[index];
    const isSame = expected === '?' ? /[01]/.test(start[index] ?? '') : start[index] === expected;
    if (!isSame) return false;
  }
  return start.length <= STATUS_LINE.length || /[ \r]/.test(start.at(-1) ?? '');
}
