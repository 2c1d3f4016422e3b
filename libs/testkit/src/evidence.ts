import type { MessageStatus } from '@app/database';

/** All moments are milliseconds since 1970, by the one clock of the machine. */
export type Moment = number;

/** What the API answered with 2xx, as far as it can still be read in the end. */
export type Acknowledged =
  | { what: 'client created'; clientId: number }
  | { what: 'mailing created'; mailingId: number }
  | { what: 'mailing deleted'; mailingId: number }
  | { what: 'mailing changed'; mailingId: number; now: Partial<FinalMailing> }
  /** Nothing that was not claimed at `at` is sent any more, or not before `until`. */
  | {
      what: 'sending stopped';
      mailingId: number;
      at: Moment;
      until?: Moment;
      claimed: ReadonlySet<number>;
      /** Its messages, where they will be purged. */
      messages?: ReadonlySet<number>;
    };

/** Whom a mailing has to reach: `must` were there before it was planned, `may` came or went meanwhile. */
export interface Audience {
  must: readonly number[];
  may?: readonly number[];
}

export interface FinalMailing {
  id: number;
  name: string;
  text: string;
  status: string;
  endAt: Moment;
  window: { from: string; to: string; timezone: string } | null;
  finished: boolean;
  counters: Record<MessageStatus | 'total' | 'repeated', number> | null;
  /** The sum of all its minutes. */
  activity: Record<MessageStatus, number>;
}

export interface FinalMessage {
  id: number;
  mailingId: number;
  clientId: number;
  zone: string;
  status: MessageStatus;
  attempts: number;
  repeated: boolean;
}

/** An attempt that did not end in `sent`. */
export interface FinalAttempt {
  messageId: number;
  attempt: number;
  outcome: string;
}

/** What the provider's stand-in saw of one message. */
export interface ReceivedMessage {
  id: number;
  times: readonly Moment[];
  /** Requests that the provider took as messages to deliver, answered or not. */
  accepted: number;
  /** Requests that were answered with a whole, valid OK. */
  oks: number;
}

/** What was seen while it ran, and the most that is allowed. */
export interface Usage {
  what: string;
  most: number;
  allowed: number;
}

export interface Resumption {
  after: string;
  /** Until the first OK after the fault had ended; null when there was none. */
  tookMs: number | null;
  limitMs: number;
}

export interface Evidence {
  acknowledged: readonly Acknowledged[];
  audiences: ReadonlyMap<number, Audience>;
  database: {
    mailings: readonly FinalMailing[];
    messages: readonly FinalMessage[];
    attempts: readonly FinalAttempt[];
    /** Ids of all clients. */
    clients: ReadonlySet<number>;
    /** Disagreements of counters and rows that were seen while it ran, each at one moment. */
    disagreements: readonly string[];
    /** Disagreements of counters, activity and totals, seen while it ran and in the end. */
    disagreeingBooks: readonly string[];
  };
  received: readonly ReceivedMessage[];
  duplicates: {
    /** Messages that may have been taken twice, given the faults; 0 without any. */
    allowed: number;
    /** Whether an answer may have been lost although it had been handed over. */
    answersMayGetLost: boolean;
  };
  usage: readonly Usage[];
  logs: readonly string[];
  /** What no log may contain. */
  secrets: { tokens: readonly string[]; phones: ReadonlySet<string> };
  resumptions: readonly Resumption[];
}
