import type { MessageStatus } from '@app/database';
import type {
  Acknowledged,
  Evidence,
  FinalAttempt,
  FinalMailing,
  FinalMessage,
  ReceivedMessage,
} from './evidence.js';

export type Invariant =
  'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I11';

export interface Violation {
  invariant: Invariant;
  /** What was seen, for people. */
  what: string;
}

const TERMINAL: readonly MessageStatus[] = ['sent', 'failed', 'expired', 'cancelled', 'unknown'];
const COUNTED = ['pending', 'sending', ...TERMINAL] as const;
const SHOWN = 5;

/**
 * Compares what the API acknowledged, what the provider received and what the database has in the
 * end. Pure; an empty answer means that all guarantees were kept.
 */
export function checkInvariants(evidence: Evidence): Violation[] {
  const index = indexOf(evidence);
  return [
    ...claim('I1', oneTerminalRowPerClient(evidence, index)),
    ...claim('I2', sentMeansConfirmed(index)),
    ...claim('I3', confirmedMeansSent(evidence, index)),
    ...claim('I4', duplicatesAreMarked(evidence, index)),
    ...claim('I5', nothingOutsideItsTime(index)),
    ...claim('I6', acknowledgedWritesSurvive(evidence, index)),
    ...claim('I7', countersAddUp(evidence, index)),
    ...claim('I8', boundsAreKept(evidence)),
    ...claim('I9', logsKeepSecrets(evidence)),
    ...claim('I10', sendingResumes(evidence)),
    ...claim('I11', activityAddsUp(evidence)),
  ];
}

interface Index {
  mailings: ReadonlyMap<number, FinalMailing>;
  messages: ReadonlyMap<number, FinalMessage>;
  byMailing: ReadonlyMap<number, FinalMessage[]>;
  attempts: ReadonlyMap<number, FinalAttempt[]>;
  received: ReadonlyMap<number, ReceivedMessage>;
}

function indexOf({ database, received }: Evidence): Index {
  return {
    mailings: new Map(database.mailings.map((mailing) => [mailing.id, mailing])),
    messages: new Map(database.messages.map((message) => [message.id, message])),
    byMailing: Map.groupBy(database.messages, (message) => message.mailingId),
    attempts: Map.groupBy(database.attempts, (attempt) => attempt.messageId),
    received: new Map(received.map((message) => [message.id, message])),
  };
}

/** I1: each client of the frozen audience has exactly one row, and all rows are terminal. */
function* oneTerminalRowPerClient({ audiences }: Evidence, index: Index): Generator<string> {
  for (const [mailingId, { must, may = [] }] of audiences) {
    const rows = index.byMailing.get(mailingId) ?? [];
    const perClient = Map.groupBy(rows, (row) => row.clientId);
    const known = new Set([...must, ...may]);
    yield* about(
      must.filter((client) => !perClient.has(client)),
      `clients of mailing ${mailingId} without a message`,
    );
    yield* about(
      [...perClient].filter(([, of]) => of.length > 1).map(([client]) => client),
      `clients of mailing ${mailingId} with more than one message`,
    );
    yield* about(
      [...perClient.keys()].filter((client) => !known.has(client)),
      `clients with a message who are not in the audience of mailing ${mailingId}`,
    );
  }
  yield* about(
    [...index.messages.values()]
      .filter((message) => !TERMINAL.includes(message.status))
      .map((message) => `${message.id} (${message.status})`),
    'messages that did not come to an end',
  );
  yield* about(
    [...index.mailings.values()].filter((mailing) => !mailing.finished).map(({ id }) => id),
    'mailings that did not come to an end',
  );
}

/** I2: `sent` means that the provider answered a valid OK for that id. */
function* sentMeansConfirmed(index: Index): Generator<string> {
  yield* about(
    [...index.messages.values()]
      .filter(({ id, status }) => status === 'sent' && (index.received.get(id)?.oks ?? 0) === 0)
      .map(({ id }) => id),
    'messages that are sent without an OK',
  );
}

/** I3: a whole OK makes the message `sent`, or `unknown` where the answer itself may have been lost. */
function* confirmedMeansSent({ duplicates }: Evidence, index: Index): Generator<string> {
  const isExcused = ({ id, status }: FinalMessage) =>
    duplicates.answersMayGetLost && status === 'unknown' && unknownAttempts(index, id) > 0;
  yield* about(
    [...index.messages.values()]
      .filter(({ id }) => (index.received.get(id)?.oks ?? 0) > 0)
      .filter((message) => message.status !== 'sent' && !isExcused(message))
      .map(({ id, status }) => `${id} (${status})`),
    'messages with an OK that are not sent',
  );
}

/**
 * I4: what the provider took more than once has an `unknown` attempt for each repetition and is
 * marked as repeated; every attempt is written down once; and there are no more of them than the
 * faults explain.
 */
function* duplicatesAreMarked({ duplicates }: Evidence, index: Index): Generator<string> {
  const twice = [...index.received.values()].filter(({ accepted }) => accepted > 1);
  yield* about(
    twice
      .filter(({ id }) => index.messages.has(id))
      .filter(({ id, accepted }) => unknownAttempts(index, id) < accepted - 1)
      .map(({ id, accepted }) => `${id} (${accepted} times)`),
    'messages that were taken more often than their unknown attempts explain',
  );
  yield* about(
    twice.filter(({ id }) => index.messages.get(id)?.repeated === false).map(({ id }) => id),
    'messages that were taken more than once and are not marked as repeated',
  );
  if (twice.length > duplicates.allowed) {
    yield `${twice.length} messages were taken more than once, ${duplicates.allowed} would be explained`;
  }
  const written = [...index.attempts].flatMap(([id, attempts]) =>
    new Set(attempts.map(({ attempt }) => attempt)).size < attempts.length ? [id] : [],
  );
  yield* about(written, 'messages with an attempt that was written down twice');
  const beyond = [...index.attempts].flatMap(([id, attempts]) => {
    const counted = index.messages.get(id)?.attempts;
    return counted !== undefined && attempts.some(({ attempt }) => attempt > counted) ? [id] : [];
  });
  yield* about(beyond, 'messages with fewer attempts than were written down');
}

/** I5: no request is written after the end, nor outside the client's local window. */
function* nothingOutsideItsTime(index: Index): Generator<string> {
  const late: number[] = [];
  const disturbed: string[] = [];
  for (const { id, times } of index.received.values()) {
    const message = index.messages.get(id);
    const mailing = message && index.mailings.get(message.mailingId);
    if (!message || !mailing) continue;
    if (times.some((at) => at > mailing.endAt)) late.push(id);
    const { window } = mailing;
    if (!window) continue;
    const zone = window.timezone === 'client' ? message.zone : window.timezone;
    const outside = times.find((at) => !isInside(localTime(at, zone), window));
    if (outside !== undefined) disturbed.push(`${id} (${localTime(outside, zone)} in ${zone})`);
  }
  yield* about(late, "messages with a request after their mailing's end");
  yield* about(disturbed, 'messages with a request outside of the window');
}

/** I6: what the API answered with 2xx is still so. */
function* acknowledgedWritesSurvive(
  { acknowledged, database }: Evidence,
  index: Index,
): Generator<string> {
  for (const write of acknowledged) yield* lostPart(write, database.clients, index);
}

function* lostPart(
  write: Acknowledged,
  clients: ReadonlySet<number>,
  index: Index,
): Generator<string> {
  switch (write.what) {
    case 'client created':
      if (!clients.has(write.clientId)) yield `client ${write.clientId} was created and is lost`;
      return;
    case 'mailing created':
      if (!index.mailings.has(write.mailingId)) {
        yield `mailing ${write.mailingId} was created and is lost`;
      }
      return;
    case 'mailing deleted':
      if (index.mailings.has(write.mailingId) || index.byMailing.has(write.mailingId)) {
        yield `mailing ${write.mailingId} was deleted and is still there`;
      }
      return;
    case 'mailing changed': {
      const mailing = index.mailings.get(write.mailingId);
      for (const [field, value] of Object.entries(write.now)) {
        const found = mailing?.[field as keyof FinalMailing];
        if (JSON.stringify(found) !== JSON.stringify(value)) {
          yield `mailing ${write.mailingId}: ${field} was set to ${JSON.stringify(value)} and is ${JSON.stringify(found)}`;
        }
      }
      return;
    }
    case 'sending stopped': {
      const { at, until = Infinity, claimed, mailingId, messages } = write;
      const isOurs = (id: number) =>
        index.messages.get(id)?.mailingId === mailingId || messages?.has(id);
      const sent = [...index.received.values()].filter(
        ({ id, times }) =>
          isOurs(id) && !claimed.has(id) && times.some((time) => time > at && time < until),
      );
      yield* about(
        sent.map(({ id }) => id),
        `messages of mailing ${write.mailingId} that were not claimed when it was stopped, and sent`,
      );
    }
  }
}

/** I7: counters = rows by status = total, at the end and whenever somebody looked. */
function* countersAddUp({ database }: Evidence, index: Index): Generator<string> {
  yield* about(database.disagreements, 'disagreements of counters and rows while it ran');
  for (const { id, counters } of database.mailings) {
    const rows = index.byMailing.get(id) ?? [];
    if (!counters) {
      yield `mailing ${id} has no counters`;
      continue;
    }
    if (counters.total !== rows.length) {
      yield `mailing ${id} counts ${counters.total} messages and has ${rows.length}`;
    }
    const repeated = rows.filter((row) => row.repeated).length;
    if (counters.repeated !== repeated) {
      yield `mailing ${id} counts ${counters.repeated} messages as repeated and has ${repeated}`;
    }
    for (const status of COUNTED) {
      const found = rows.filter((row) => row.status === status).length;
      if (counters[status] !== found) {
        yield `mailing ${id} counts ${counters[status]} messages as ${status} and has ${found}`;
      }
    }
  }
}

/** I8: what is in flight, memory and connections stay within what was configured. */
function* boundsAreKept({ usage }: Evidence): Generator<string> {
  for (const { what, most, allowed } of usage) {
    if (most > allowed) yield `${what}: ${most}, allowed are ${allowed}`;
  }
}

/** I9: no token and no full phone number in any log. */
function* logsKeepSecrets({ logs, secrets }: Evidence): Generator<string> {
  for (const line of logs) {
    const token = secrets.tokens.some((text) => line.includes(text));
    const phone = (line.match(/(?<!\d)7\d{10}(?!\d)/g) ?? []).some((n) => secrets.phones.has(n));
    if (token) yield `a token in a log line: ${line.slice(0, 200)}`;
    if (phone) yield `a phone in a log line: ${line.slice(0, 200)}`;
  }
}

/** I10: sending resumes within the stated time after the fault has ended. */
function* sendingResumes({ resumptions }: Evidence): Generator<string> {
  for (const { after, tookMs, limitMs } of resumptions) {
    if (tookMs === null) yield `sending did not resume within ${limitMs} ms after ${after}`;
    else if (tookMs > limitMs) {
      yield `sending resumed ${Math.round(tookMs)} ms after ${after}, allowed are ${limitMs}`;
    }
  }
}

/** I11: the sum of a mailing's activity is its counters, and finished mailings are in the totals once. */
function* activityAddsUp({ database }: Evidence): Generator<string> {
  yield* about(database.disagreeingBooks, 'disagreements of counters, activity and totals');
  for (const { id, counters, activity } of database.mailings) {
    for (const status of counters ? COUNTED : []) {
      if (counters?.[status] !== activity[status]) {
        yield `mailing ${id} counts ${counters?.[status]} messages as ${status}, its activity ${activity[status]}`;
      }
    }
  }
}

function unknownAttempts(index: Index, messageId: number): number {
  const attempts = index.attempts.get(messageId) ?? [];
  return attempts.filter(({ outcome }) => outcome === 'unknown').length;
}

/** Wall clock time `HH:MM` in the zone: computed slowly and simply, not by the engine's code. */
function localTime(at: number, zone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(at);
}

function isInside(time: string, { from, to }: { from: string; to: string }): boolean {
  return from < to ? time >= from && time < to : time >= from || time < to;
}

function* about(items: readonly (number | string)[], what: string): Generator<string> {
  if (items.length === 0) return;
  const more = items.length > SHOWN ? ', …' : '';
  yield `${items.length} ${what}: ${items.slice(0, SHOWN).join(', ')}${more}`;
}

function claim(invariant: Invariant, found: Iterable<string>): Violation[] {
  return [...found].map((what) => ({ invariant, what }));
}
