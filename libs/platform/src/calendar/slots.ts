import { Temporal } from 'temporal-polyfill';

/** Allowed hours of the day, `HH:MM` each, by the wall clock of the client or of a named zone. */
export interface LocalWindow {
  /** First allowed minute. */
  from: string;
  /** First minute that is no longer allowed; earlier than `from` means on the next day. */
  to: string;
  timezone: string;
}

export interface MailingTimes {
  startAt: Date;
  /** Exclusive. */
  endAt: Date;
  window?: LocalWindow;
}

/** `[opensAt, closesAt)`: a time in which sending is allowed without a break. Never empty. */
export interface Slot {
  opensAt: Date;
  closesAt: Date;
}

/** The runtime's timezone data do not know this zone. */
export class UnknownTimezoneError extends RangeError {
  constructor(readonly zone: string) {
    super(`Unknown timezone: ${zone}`);
    this.name = 'UnknownTimezoneError';
  }
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Longer than any slot that a window allows: even a skipped calendar day joins only two days. */
const LONGEST_SLOT = 3 * DAY;

/**
 * The earliest slot of a mailing in a client's zone that closes after `after` (it may be open
 * already), or null when there is none before the end.
 *
 * One rule decides everything, daylight-saving changes included: an instant is allowed if and
 * only if the wall clock then shows a time of day inside the window. So
 * - in a gap (02:00 becomes 03:00) no wall clock shows the skipped times: an opening inside the
 *   gap moves to the first instant after it, a closing inside it to its start, and a window that
 *   lies in the gap as a whole does not open on that day;
 * - in an overlap (03:00 becomes 02:00) the times occur twice: a window inside it opens twice, one
 *   with an edge inside it is interrupted, one that holds all of it is an hour longer.
 *
 * `from` equal to `to` is the whole day, as is no window.
 *
 * @throws UnknownTimezoneError the window's zone (or, for `client`, the client's) is unknown
 * @throws RangeError an edge of the window is not `HH:MM`
 */
export function nextSlot(mailing: MailingTimes, zone: string, after: Date): Slot | null {
  const { startAt, endAt, window } = mailing;
  const start = startAt.getTime();
  const end = endAt.getTime();
  const bound = after.getTime();
  if (end <= start || end <= bound) return null;

  const hours = window && parseWindow(window);
  if (!hours) return { opensAt: startAt, closesAt: endAt };

  const offsets = offsetsOf(window.timezone === 'client' ? zone : window.timezone);
  let slot: Interval | undefined;
  for (const piece of openPieces(hours, offsets, Math.max(start, bound - LONGEST_SLOT), end)) {
    if (slot?.closes === piece.opens) {
      slot.closes = piece.closes; // the clock was changed in the middle of the window
      continue;
    }
    if (slot && slot.closes > bound) break;
    slot = piece;
  }
  if (!slot || slot.closes <= bound) return null;
  return { opensAt: new Date(slot.opens), closesAt: new Date(slot.closes) };
}

interface Interval {
  opens: number;
  closes: number;
}

/** Milliseconds: since local midnight, and long. */
interface Hours {
  from: number;
  length: number;
}

function parseWindow({ from, to }: LocalWindow): Hours | null {
  const start = timeOfDay(from);
  const length = (timeOfDay(to) - start + DAY) % DAY;
  return length === 0 ? null : { from: start, length };
}

function timeOfDay(text: string): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (!match) throw new RangeError(`Not a time of day (HH:MM): ${text}`);
  return (Number(match[1]) * 60 + Number(match[2])) * MINUTE;
}

/**
 * The allowed instants of `[since, until)` in order, cut at every change of the zone's offset.
 * Between two changes local time is the instant plus a constant, so windows are plain arithmetic.
 */
function* openPieces(
  { from, length }: Hours,
  offsets: Offsets,
  since: number,
  until: number,
): Generator<Interval> {
  let span: Span;
  for (let cursor = since; cursor < until; cursor = span.end) {
    span = offsets.at(cursor);
    const last = Math.min(span.end, until);
    const firstDay = Math.floor((cursor + span.offset - from - length) / DAY) + 1;
    for (let opens = firstDay * DAY + from - span.offset; opens < last; opens += DAY) {
      yield { opens: Math.max(opens, cursor), closes: Math.min(opens + length, last) };
    }
  }
}

/** `[start, end)` with one offset from UTC; ms. */
interface Span {
  start: number;
  end: number;
  offset: number;
}

/**
 * A zone's offsets, found once and kept. Only ever extended forward: looking for the previous
 * change costs 14 times as much as for the next one, and the first chunk of a mailing asks for
 * every zone of its audience at once.
 */
class Offsets {
  private spans: Span[] = [];

  constructor(private readonly zone: string) {}

  at(instant: number): Span {
    let last = this.spans.at(-1);
    if (!last || instant < (this.spans[0]?.start ?? 0) || instant > last.end + 400 * DAY) {
      last = this.measure(instant - LONGEST_SLOT); // most callers look back a little next
      this.spans = [last];
    }
    while (instant >= last.end) {
      last = this.measure(last.end);
      this.spans.push(last);
    }
    return this.spans.findLast((span) => instant >= span.start) ?? last;
  }

  private measure(start: number): Span {
    const local = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(this.zone);
    const next = local.getTimeZoneTransition('next');
    return {
      start,
      end: next?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
      offset: local.offsetNanoseconds / 1e6,
    };
  }
}

const known = new Map<string, Offsets>();
/** More names than the timezone data have; spellings come from outside and must not pile up. */
const KNOWN_LIMIT = 2_000;

function offsetsOf(zone: string): Offsets {
  const existing = known.get(zone);
  if (existing) return existing;
  assertTimezone(zone);
  if (known.size >= KNOWN_LIMIT) known.clear();
  const offsets = new Offsets(zone);
  known.set(zone, offsets);
  return offsets;
}

/** Temporal would also take an offset or a whole timestamp for a zone; Intl and the pattern do not. */
function assertTimezone(zone: string): void {
  if (!/^[A-Za-z][\w+\-/]*$/.test(zone)) throw new UnknownTimezoneError(zone);
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    throw new UnknownTimezoneError(zone);
  }
}
