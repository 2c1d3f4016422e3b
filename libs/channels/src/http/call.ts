import type { Clock } from '@app/platform';
import type { Dispatcher } from 'undici';

import { afterWriting, beforeWriting, CallError } from './call-error.js';
import { decompress } from './decompress.js';

type Headers = Record<string, string | string[] | undefined>;

/** A complete answer: it was received to its end and decompressed. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
  /**
   * Whether the answer stated where it ends. One that ends when the connection does cannot be told
   * from one that was cut off.
   */
  framed: boolean;
}

export interface CallLimits {
  /** On the monotonic clock, ms: nothing is written after it, and no answer is waited for. */
  deadline: number;
  /** Of the body, as received and again as decompressed. */
  maxBytes: number;
  clock: Clock;
}

/**
 * One request on its way through undici, with one deadline for all of it. undici's own timeouts
 * watch the gaps between chunks, so an answer that drips would evade them.
 */
export class Call implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private readonly timer: NodeJS.Timeout;
  /** It ended: with its answer, with an error, or before it could begin. */
  settled = false;
  private status = 0;
  private headers: Headers = {};
  private readonly chunks: Buffer[] = [];

  constructor(
    private readonly limits: CallLimits,
    private readonly resolve: (answer: Answer) => void,
    private readonly reject: (error: CallError) => void,
  ) {
    const timeLeft = limits.deadline - limits.clock.monotonic();
    this.timer = setTimeout(() => {
      this.expire();
    }, Math.ceil(timeLeft));
    if (timeLeft <= 0) this.fail(tooLate());
  }

  /** Directly before the bytes are written: an error here ends the call without any bytes. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // undici repeats what it takes for not written; a request must never be sent a second time.
    if (this.controller) throw new Error('the connection ended under the request');
    if (this.settled || this.limits.clock.monotonic() >= this.limits.deadline) throw tooLate();
    this.controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.status = status; // early hints come here too; the last one is the answer's
    this.headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk); // undici counts them against its own cap
  }

  onResponseEnd(): void {
    const { status, headers } = this;
    try {
      const raw = this.chunks.length === 1 ? this.chunks[0] : undefined;
      const body = this.decoded(raw ?? Buffer.concat(this.chunks));
      const framed = 'content-length' in headers || 'transfer-encoding' in headers;
      this.settle(() => {
        this.resolve({ status, headers, body, framed });
      });
    } catch (error) {
      this.fail(error instanceof CallError ? error : afterWriting(asError(error), true));
    }
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (error instanceof CallError) this.fail(error);
    else if (this.controller) this.fail(afterWriting(error, this.status !== 0));
    else this.fail(beforeWriting(error));
  }

  private decoded(body: Buffer): Buffer {
    const encoding = this.headers['content-encoding'];
    if (encoding === undefined) return body;
    return decompress(body, String(encoding), this.limits.maxBytes);
  }

  private expire(): void {
    if (!this.controller) {
      this.fail(tooLate());
      return;
    }
    // Timers run before sockets are read: after a blocked loop the answer may have been there for
    // long. `setImmediate` comes after that reading.
    setImmediate(() => {
      const began = this.status === 0 ? 'no answer' : 'no complete answer';
      if (!this.settled) this.controller?.abort(new CallError('timeout', true, `${began} in time`));
    });
  }

  private fail(error: CallError): void {
    this.settle(() => {
      this.reject(error);
    });
  }

  private settle(finish: () => void): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.timer);
    finish();
  }
}

function tooLate(): CallError {
  return new CallError('deadline', false, 'the deadline had passed before the request was written');
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
