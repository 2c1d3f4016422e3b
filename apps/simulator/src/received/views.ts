import { createHash } from 'node:crypto';
import { NO_ANSWER, type MsgId, type ReceivedLog } from './log.js';

/** JSON has no int64: ids beyond 2^53 - 1 are shown as strings. */
const shownId = (id: MsgId): number | string => (typeof id === 'number' ? id : id.toString());
const shownStatus = (status: number): number | null => (status === NO_ANSWER ? null : status);
const orNull = (value: number): number | null => (value === 0 ? null : value);

export function summaryOf(log: ReceivedLog) {
  const { totals } = log;
  return {
    requests: totals.requests,
    messages: log.ids.length,
    delivered: totals.delivered,
    duplicates: totals.duplicates,
    oks: totals.oks,
    accepted: {
      requests: totals.accepted,
      messages: totals.acceptedMessages,
      duplicates: totals.acceptedDuplicates,
    },
    unanswered: totals.requests - totals.settled,
    byStatus: Object.fromEntries(
      [...log.byStatus].map(([status, count]) => [
        status === NO_ANSWER ? 'none' : String(status),
        count,
      ]),
    ),
    firstAt: orNull(totals.firstAt),
    lastAt: orNull(totals.lastAt),
    listedRequests: totals.listed,
    tokens: [...log.authorizations].map(([header, requests]) => ({
      sha256: createHash('sha256')
        .update(header.replace(/^bearer /i, ''))
        .digest('hex'),
      requests,
    })),
  };
}

/** One message with everything that came in for it, oldest request first. */
export function messageOf(log: ReceivedLog, row: number) {
  const { messages } = log;
  const requests = requestsOf(log, row);
  const latest = requests.findLast(({ phone }) => phone !== null);
  return {
    id: shownId(log.ids[row] ?? 0),
    phone: latest?.phone ?? null,
    text: latest?.text ?? null,
    requests: messages.requests.get(row),
    accepted: messages.accepted.get(row),
    oks: messages.oks.get(row),
    firstAt: messages.firstAt.get(row),
    lastAt: messages.lastAt.get(row),
    times: requests.map(({ at }) => at),
    okTimes: requests.flatMap(({ okAt }) => okAt ?? []),
  };
}

/** Each request of a message, oldest first. `status` is null without an answer (yet). */
export function requestsOf(log: ReceivedLog, row: number) {
  const { requests } = log;
  const rows: number[] = [];
  for (let next = log.messages.latest.get(row); next > 0; next = requests.previous.get(next - 1)) {
    rows.push(next - 1);
  }
  return rows.reverse().map((request) => ({
    at: requests.at.get(request),
    status: shownStatus(requests.status.get(request)),
    accepted: requests.accepted.get(request) === 1,
    okAt: orNull(requests.okAt.get(request)),
    phone: orNull(requests.phone.get(request)),
    text: log.texts.read(requests.text.get(request)),
  }));
}

export interface Page {
  /** How many at most. */
  limit: number;
  /** The first row to look at. */
  cursor: number;
}

/** Messages in order of their first arrival; `nextCursor` is null at the end. */
export function pageOf(log: ReceivedLog, page: Page, wanted: (row: number) => boolean) {
  const items: ReturnType<typeof messageOf>[] = [];
  let row = page.cursor;
  for (; row < log.ids.length && items.length < page.limit; row += 1) {
    if (wanted(row)) items.push(messageOf(log, row));
  }
  return { items, nextCursor: row < log.ids.length ? String(row) : null };
}

/** Arrival times of all listed requests as the pieces of one JSON array of epoch milliseconds. */
export function* timelineOf(log: ReceivedLog): Generator<string> {
  const PIECE = 10_000;
  const end = log.totals.listed;
  for (let start = 0; start < end; start += PIECE) {
    const size = Math.min(PIECE, end - start);
    const times = Array.from({ length: size }, (_, n) => log.requests.at.get(start + n).toFixed(3));
    yield `${start === 0 ? '[' : ','}${times.join(',')}`;
  }
  yield end === 0 ? '[]' : ']';
}
