import type { IncomingMessage, ServerResponse } from 'node:http';
import { NO_ANSWER, type Entry, type ReceivedLog } from '../received/log.js';
import type { Payload } from './validation.js';

const OK_BODY = Buffer.from('{"code":0,"message":"OK"}');
const OK_HEADERS = ['Content-Type', 'application/json', 'Content-Length', String(OK_BODY.length)];

/** The success of the specification as raw bytes, for answers that are not written in one piece. */
export const RAW_OK = {
  head: Buffer.from(
    [
      'HTTP/1.1 200 OK',
      'Content-Type: application/json',
      `Content-Length: ${OK_BODY.length}`,
      'Connection: close',
      '\r\n',
    ].join('\r\n'),
  ),
  body: OK_BODY,
};

/** One request and the ways to end it; each records it in the received log. */
export class Exchange {
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    private readonly entry: Entry,
    private readonly log: ReceivedLog,
  ) {}

  /** Which request of this id it is, from 1. */
  get nth(): number {
    return this.entry.nth;
  }

  payload({ phone, text }: Payload): void {
    this.log.payload(this.entry, phone, text);
  }

  /** The message counts as taken from here on, whether or not the answer arrives. */
  accept(): void {
    this.log.accept(this.entry);
  }

  settle(status: number): void {
    this.log.settle(this.entry, status);
  }

  /** No answer will come, or none any more. */
  unanswered(): void {
    this.settle(NO_ANSWER);
  }

  okWritten(): void {
    this.log.okWritten(this.entry);
  }

  /** Runs `act` after so many milliseconds, unless the client has closed the connection by then. */
  after(ms: number, act: () => void): void {
    if (this.request.socket.destroyed) {
      this.unanswered();
      return;
    }
    if (ms <= 0) {
      act();
      return;
    }
    const hungUp = () => {
      clearTimeout(timer);
      this.unanswered();
    };
    const timer = setTimeout(() => {
      this.response.off('close', hungUp);
      act();
    }, ms);
    this.response.once('close', hungUp);
  }

  ok(): void {
    this.settle(200);
    this.response.writeHead(200, OK_HEADERS);
    this.response.end(OK_BODY, () => {
      this.okWritten();
    });
  }

  answer(status: number, body: Buffer | string, headers: Record<string, string> = {}): void {
    this.settle(status);
    this.response.writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      ...headers,
    });
    this.response.end(body);
  }

  /** An error in the provider's own words: the status is the code. */
  refuse(status: number, message: string): void {
    this.answer(status, JSON.stringify({ code: status, message }));
  }

  /** A TCP reset: the client gets ECONNRESET, whatever it was doing. */
  reset(): void {
    this.unanswered();
    this.request.socket.resetAndDestroy();
  }
}
