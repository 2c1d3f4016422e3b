import type { Content } from './content.js';

/** One message, ready to be sent: id, address and content are final. */
export interface OutgoingMessage<Said extends Content = Content> {
  /** The message's row id: what the provider may deduplicate by. */
  id: number;
  /** Where it goes, as the channel understands it: a phone, `7XXXXXXXXXX`. */
  address: string;
  /** As the channel's `ContentSchema` read it. */
  content: Said;
}

/** The outcome of one call. The provider's behaviour is a value, never an exception. */
export type Outcome =
  | { kind: 'delivered'; httpStatus: number }
  /** Final: the provider refuses this message. */
  | ({ kind: 'rejected' } & Reason)
  /** The provider answered that it did not take the message; try again later. */
  | ({ kind: 'retry'; retryAfterMs?: number } & Reason)
  /** The provider as a whole is not usable now: the message is not at fault and uses no try. */
  | ({ kind: 'unavailable'; retryAfterMs?: number; scope: UnavailableScope } & Reason)
  /** The request may have been processed: nobody knows. */
  | ({ kind: 'unknown' } & Reason)
  /**
   * Nothing was written: the deadline had passed first, the channel was closed, or (`isLocal`) this
   * process has no descriptor, port or memory left to connect with, which says nothing about the provider.
   */
  | ({ kind: 'skipped'; retryAfterMs?: number; isLocal?: true } & Reason);

/** `rate`: asked to slow down; `auth`: our credentials are refused; `down`: not reachable. */
export type UnavailableScope = 'rate' | 'auth' | 'down';

export interface Reason {
  /** Stable and short, for grouping: `http_503`, `timeout`, `bad_code`. */
  code: string;
  /** For people, at most 300 characters, without secrets. */
  detail: string;
  httpStatus?: number;
  /** The first KB of the answer as text. */
  excerpt?: string;
}

/**
 * Parameters for claiming, sending, recording and sweeping a channel's messages: the same for all of its
 * lanes, in every process.
 */
export interface ChannelPolicy {
  /** The whole of one call, from connecting to the last byte of the answer, ms. */
  readonly callLimitMs: number;
  /** The lease of a claimed message, ms: longer than a call can take. */
  readonly leaseMs: number;
  /** With less than this left to the end or the slot's close nothing is sent, ms. */
  readonly marginMs: number;
  /** Waits before the 2nd, 3rd, … try, s; the last one repeats. */
  readonly retryScheduleS: readonly number[];
  /** Each wait is taken from [1 - j, 1 + j] times the schedule, so that messages that failed together are not all tried at one time. */
  readonly retryJitter: number;
  /** Messages of one lane that a worker holds at a time; null: as many as the worker has places. */
  readonly concurrency: number | null;
  /**
   * What an attempt without a readable answer means. True: the provider gets the same id with a
   * repetition, so the message is tried again. False: it ends as `unknown`.
   */
  readonly repeatUnknown: boolean;
}

/** A way to deliver messages. Every implementation passes the conformance suite. */
export interface Channel {
  /**
   * Sends one message and returns its outcome; never throws, whatever the provider does.
   *
   * @param deadline on the monotonic clock (`performance.now()`), ms; no request is written after it,
   *   and an answer is not waited for beyond it (nor beyond the channel's own limit).
   */
  send(message: OutgoingMessage, deadline: number): Promise<Outcome>;
  /** Lets calls under way end, then frees the sockets; what is sent afterwards is `skipped`. */
  close(): Promise<void>;
}
