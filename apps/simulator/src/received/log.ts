import { Column } from './column.js';
import { Texts } from './texts.js';

/** int64: a bigint only where a number would lose digits. */
export type MsgId = number | bigint;

/** About 40 bytes each. Beyond it requests are still counted, but no longer listed one by one. */
const LISTED_REQUESTS = 5_000_000;
const LISTED_TOKENS = 100;

/** The status of a request whose connection ended without an answer. */
export const NO_ANSWER = 0;

/** One request on its way through the simulator. */
export interface Entry {
  /** The message's row; -1 when the path names no id. */
  readonly row: number;
  /** The request's row; -1 beyond the listed ones. */
  readonly request: number;
  /** Which request of this id it is, from 1. */
  readonly nth: number;
  settled: boolean;
}

/** Milliseconds since 1970 with fractions; steps of the system clock do not reach it. */
function epochMs(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Requests and their answers, in columns of numbers so that a million messages fit into
 * about 150 MB. An OK is `accepted` once it is decided, and counts as `ok` when the whole answer
 * has been handed to the operating system.
 */
export class ReceivedLog {
  readonly ids: MsgId[] = [];
  readonly messages = {
    requests: new Column(Uint32Array),
    accepted: new Column(Uint32Array),
    oks: new Column(Uint32Array),
    firstAt: new Column(Float64Array),
    lastAt: new Column(Float64Array),
    /** Request row + 1; from there `previous` leads to the older ones. */
    latest: new Column(Uint32Array),
  };
  readonly requests = {
    at: new Column(Float64Array),
    /** 0 while no OK was written. */
    okAt: new Column(Float64Array),
    /** Request row + 1 of the same message's request before; 0 for its first. */
    previous: new Column(Uint32Array),
    status: new Column(Uint16Array),
    accepted: new Column(Uint8Array),
    phone: new Column(Float64Array),
    text: new Column(Uint32Array),
  };
  readonly texts = new Texts();
  readonly byStatus = new Map<number, number>();
  /** Requests per Authorization header. */
  readonly authorizations = new Map<string, number>();
  readonly totals = {
    requests: 0,
    listed: 0,
    settled: 0,
    accepted: 0,
    oks: 0,
    /** Messages with at least one OK, and with more than one; by each way to count an OK. */
    delivered: 0,
    duplicates: 0,
    acceptedMessages: 0,
    acceptedDuplicates: 0,
    firstAt: 0,
    lastAt: 0,
  };
  private readonly rows = new Map<MsgId, number>();

  rowOf(id: MsgId): number | undefined {
    return this.rows.get(id);
  }

  arrive(id: MsgId | undefined, authorization: string): Entry {
    const at = epochMs();
    this.totals.requests += 1;
    this.totals.firstAt ||= at;
    this.totals.lastAt = at;
    this.countAuthorization(authorization);
    const request = this.totals.listed < LISTED_REQUESTS ? this.totals.listed++ : -1;
    if (request >= 0) this.requests.at.set(request, at);
    if (id === undefined) return { row: -1, request, nth: 1, settled: false };

    const row = this.row(id, at);
    if (request >= 0) {
      this.requests.previous.set(request, this.messages.latest.get(row));
      this.messages.latest.set(row, request + 1);
    }
    this.messages.lastAt.set(row, at);
    return { row, request, nth: this.messages.requests.increment(row), settled: false };
  }

  payload({ request }: Entry, phone: number, text: string): void {
    if (request < 0) return;
    this.requests.phone.set(request, phone);
    this.requests.text.set(request, this.texts.keep(text));
  }

  /** The provider took the message, whether or not the client gets the answer. */
  accept({ row, request }: Entry): void {
    if (request >= 0) this.requests.accepted.set(request, 1);
    this.totals.accepted += 1;
    const accepted = this.messages.accepted.increment(row);
    if (accepted === 1) this.totals.acceptedMessages += 1;
    if (accepted === 2) this.totals.acceptedDuplicates += 1;
  }

  /** The status has been decided, or NO_ANSWER; only the first call for a request counts. */
  settle(entry: Entry, status: number): void {
    if (entry.settled) return;
    entry.settled = true;
    this.totals.settled += 1;
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    if (entry.request >= 0) this.requests.status.set(entry.request, status);
  }

  /** The OK has been written to its last byte. */
  okWritten({ row, request }: Entry): void {
    if (request >= 0) this.requests.okAt.set(request, epochMs());
    this.totals.oks += 1;
    const oks = this.messages.oks.increment(row);
    if (oks === 1) this.totals.delivered += 1;
    if (oks === 2) this.totals.duplicates += 1;
  }

  private row(id: MsgId, at: number): number {
    const known = this.rows.get(id);
    if (known !== undefined) return known;
    const row = this.ids.push(id) - 1;
    this.rows.set(id, row);
    this.messages.firstAt.set(row, at);
    return row;
  }

  private countAuthorization(authorization: string): void {
    const count = this.authorizations.get(authorization);
    if (count === undefined && this.authorizations.size >= LISTED_TOKENS) return;
    this.authorizations.set(authorization, (count ?? 0) + 1);
  }
}
