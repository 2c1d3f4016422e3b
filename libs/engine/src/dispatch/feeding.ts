import type { DueMessage, OpenMailing, ScanPosition } from './dispatch.queries.js';
import { LookGap } from './look-gap.js';
import { MailingScan } from './mailing-scan.js';
import type { OfferedMessage } from './offered.js';
import { Pace } from './pace.js';
import { interleave, share } from './share.js';
import { freshPositions, MOST_POSITIONS, retryPositions, Turn } from './turn.js';

/** How often a look reads more when it found less than it had room for. */
const MOST_READS = 4;
/** What was given to the queue is looked up again about so often, so many at a time. */
const CHECK_EVERY_MS = 250;
const MOST_CHECKED = 5_000;
/** A message with a rate is fed so long before its moment, ms; the claim grants up to 500 ms ahead. */
const LEAD_MS = 400;
const LEAST_LEAD_MS = 100;
/**
 * Where the lane has a rate too, a message is fed so long before the moment that the lane would give it,
 * ms: its moments are not kept for messages that their mailings send much later. But what falls into
 * the time until the next look has to be fed now, or its moment passes.
 */
const LEAST_LEAD_IN_RATED_LANE_MS = 60;
const LEAD_BEYOND_NEXT_LOOK_MS = 20;
/** With less lead than this the next look must not wait. */
const LONG_LEAD_MS = 200;
/** Messages with a rate that wait in a worker leave this share of the places to the others. */
const FREE_PLACES = 0.5;
/** With a rate of its own a mailing has no more in the queue than it may send in so long, s. */
const RATED_AHEAD_S = 2;

/** All that a look depends on. */
export interface Situation {
  /** Monotonic, ms. */
  now: number;
  /** Jobs in the queue that nobody has taken. */
  waiting: number;
  /** As many may wait. */
  ahead: number;
  /** Messages that all workers together hold at a time. */
  places: number;
  lane: { ratePerSecond: number | null; grantedAheadMs: number | null };
  mailings: OpenMailing[];
}

export interface Reads {
  retries: ScanPosition[];
  fresh: ScanPosition[];
}

/**
 * What of a lane's messages goes into its queue, and in which order: the mailings take turns, and in
 * each of them its zones. Knows no clock, database or queue: all of it comes with the situation.
 */
export class Feeding {
  private readonly scans = new Map<number, MailingScan>();
  private readonly pace = new Pace();
  private readonly gap = new LookGap();
  private firstMailing = 0;
  private firstForRetries = 0;
  private checkedAt = -Infinity;

  /** Begins a look: first `toCheck` and `checked`, then `next` and `found` until there is no next. */
  look(situation: Situation): Look {
    const { mailings, now } = situation;
    this.gap.looked(now);
    const open = new Set(mailings.map(({ id }) => id));
    for (const id of this.scans.keys()) if (!open.has(id)) this.scans.delete(id);
    for (const mailing of mailings) {
      let scan = this.scans.get(mailing.id);
      if (!scan) this.scans.set(mailing.id, (scan = new MailingScan()));
      scan.update(mailing, now);
    }
    return new Look(this, situation);
  }

  /** Nothing is sent for a while, and what was fed is refused: start again after it. */
  forget(): void {
    this.scans.clear();
  }

  scan(mailingId: number): MailingScan {
    const scan = this.scans.get(mailingId);
    if (!scan) throw new Error(`mailing ${mailingId} is not open`);
    return scan;
  }

  /** Messages whose rows are worth a look, by mailing: they should have left the queue by now. */
  due({ now, mailings, waiting }: Situation): Map<number, number[]> {
    const due = new Map<number, number[]>();
    if (now - this.checkedAt < CHECK_EVERY_MS) return due;
    let left = MOST_CHECKED;
    for (const { id, ratePerSecond } of mailings) {
      const circumstances = { isRated: ratePerSecond !== null, queueIsEmpty: waiting === 0 };
      const ids = this.scan(id).offered.due(now, circumstances, left);
      if (ids.length > 0) due.set(id, ids);
      left -= ids.length;
    }
    if (due.size > 0) this.checkedAt = now;
    return due;
  }

  /** More was lost than the queue has room for: the next look goes on with it. */
  checkSoon(): void {
    this.checkedAt = -Infinity;
  }

  /** How many the queue and the lane's own rate let in now. */
  room({ now, waiting, ahead, lane }: Situation): number {
    const room = Math.max(0, ahead - waiting);
    const { ratePerSecond, grantedAheadMs } = lane;
    if (ratePerSecond === null) return room;
    return Math.min(room, this.pace.allowed(now, ratePerSecond, grantedAheadMs, LEAD_MS));
  }

  /** Splits the room between the mailings; those that get nothing of it come first the next time. */
  turns(situation: Situation, room: number): Turn[] {
    const lead = this.lead(situation);
    const able = rotated(situation.mailings, this.firstMailing).flatMap((mailing) => {
      const scan = this.scan(mailing.id);
      if (!scan.hasFresh && !scan.hasRetriesToLookFor(situation.now)) return [];
      const most = allowance(mailing, scan, situation.now, lead);
      return most > 0 ? [{ mailing, scan, most }] : [];
    });
    const some = able.slice(0, Math.min(room, MOST_POSITIONS));
    const limits = some.map(({ most }) => most);
    const { parts, next } = share(room, limits);
    const first = able[some.length] ?? some[next];
    if (first) this.firstMailing = first.mailing.id;
    return some.map(({ mailing, scan }, index) => new Turn(mailing, scan, parts[index] ?? 0));
  }

  /** Mailings whose retries are read next; one that had no turn comes first in the next look. */
  retryPositions(turns: Turn[], now: number): ScanPosition[] {
    const order = turns.toSorted((a, b) => a.mailing.id - b.mailing.id);
    const at = order.findIndex(({ mailing }) => mailing.id >= this.firstForRetries);
    const fromFirst = at > 0 ? [...order.slice(at), ...order.slice(0, at)] : order;
    const { positions, cut } = retryPositions(fromFirst, now);
    if (cut !== null) this.firstForRetries = cut;
    return positions;
  }

  /** How long before its moment a message of a mailing with a rate is fed, ms. */
  lead({ now, lane, mailings, places }: Situation): number {
    if (lane.ratePerSecond !== null) {
      const untilNextLook = this.gap.ms + LEAD_BEYOND_NEXT_LOOK_MS;
      const lead = Math.min(LEAD_MS, Math.max(LEAST_LEAD_IN_RATED_LANE_MS, untilNextLook));
      return lead + this.pace.ahead(now);
    }
    const rates = mailings.reduce((sum, { ratePerSecond }) => sum + (ratePerSecond ?? 0), 0);
    const lead = rates === 0 ? LEAD_MS : (places * (1 - FREE_PLACES) * 1_000) / rates;
    return Math.min(LEAD_MS, Math.max(LEAST_LEAD_MS, lead));
  }

  spend({ lane }: Situation, count: number): void {
    if (lane.ratePerSecond !== null) this.pace.spend(count, lane.ratePerSecond);
  }
}

/** One look: reads a little, takes what it has room for, and can undo that. */
export class Look {
  private readonly due: Map<number, number[]>;
  private readonly again: { mailingId: number; messages: OfferedMessage[] }[] = [];
  private turns: Turn[] = [];
  private positions: Reads = { retries: [], fresh: [] };
  private reads = 0;

  constructor(
    private readonly feeding: Feeding,
    private readonly situation: Situation,
  ) {
    this.due = feeding.due(situation);
  }

  /** Messages that were given to the queue a while ago: which of them are still pending? */
  get toCheck(): number[] {
    return [...this.due.values()].flat();
  }

  /** @param pending the attempts of those that are, by id. */
  checked(pending: ReadonlyMap<number, number>): void {
    const { now, waiting, ahead, mailings } = this.situation;
    // Some of it is still waiting, as a rule: the rest of the room is for what was never given.
    let room = Math.ceil((ahead - waiting) / 2);
    for (const { id, ratePerSecond } of mailings) {
      const asked = this.due.get(id);
      if (!asked) continue;
      const circumstances = { isRated: ratePerSecond !== null, queueIsEmpty: waiting === 0 };
      const lost = this.feeding.scan(id).offered.settle(asked, pending, now, circumstances);
      const messages = lost.slice(0, Math.max(0, room));
      room -= messages.length;
      if (messages.length < lost.length) this.feeding.checkSoon();
      if (messages.length > 0) this.again.push({ mailingId: id, messages });
    }
  }

  /** What is to be read next; null when the look has all that it wants, or can get. */
  next(): Reads | null {
    if (this.reads === 0) {
      const again = this.again.reduce((sum, { messages }) => sum + messages.length, 0);
      const room = Math.max(0, this.feeding.room(this.situation) - again);
      this.turns = this.feeding.turns(this.situation, room);
    }
    const hungry = this.turns.filter(({ left }) => left > 0);
    if (this.reads >= MOST_READS || hungry.length === 0) return null;
    const isFirst = this.reads++ === 0;
    this.positions = {
      retries: this.feeding.retryPositions(hungry, this.situation.now),
      fresh: freshPositions(hungry, isFirst),
    };
    const { retries, fresh } = this.positions;
    return retries.length + fresh.length > 0 ? this.positions : null;
  }

  /** What was read at the positions of the latest `next`. */
  found(retries: DueMessage[], fresh: DueMessage[]): void {
    this.take('retries', retries);
    this.take('fresh', fresh);
  }

  /** What goes into the queue, in this order: a message of each mailing in turn. */
  get items(): OfferedMessage[] {
    const again = this.again.map(({ messages }) => messages);
    return [...interleave(again), ...interleave(this.turns.map(({ items }) => items))];
  }

  /** Rates, and not the room in the queue, limited what was taken: the next look has time. */
  get isPaced(): boolean {
    const { lane, mailings, ahead, waiting } = this.situation;
    const hasRates = mailings.some((one) => one.ratePerSecond !== null);
    const isRated =
      lane.ratePerSecond !== null || mailings.every((one) => one.ratePerSecond !== null);
    const hasTime =
      !hasRates ||
      (lane.ratePerSecond === null && this.feeding.lead(this.situation) >= LONG_LEAD_MS);
    return isRated && hasTime && this.taken < (ahead - waiting) / 2;
  }

  /** It is in the queue now. */
  commit(): void {
    const { now } = this.situation;
    for (const { mailingId, messages } of this.again) {
      const { offered } = this.feeding.scan(mailingId);
      for (const message of messages) offered.add(message, now);
    }
    for (const turn of this.turns) turn.commit(now);
    this.feeding.spend(this.situation, this.taken);
  }

  /** It did not get into the queue, or nobody knows: it will be read and fed again. */
  undo(): void {
    for (const turn of this.turns) turn.undo();
  }

  private get taken(): number {
    return this.turns.reduce((sum, { taken }) => sum + taken, 0);
  }

  private take(kind: 'retries' | 'fresh', found: DueMessage[]): void {
    const keyOf = (one: { mailingId: number; zoneId: number }) => `${one.mailingId}/${one.zoneId}`;
    const byScan = Map.groupBy(found, keyOf);
    const turns = new Map(this.turns.map((turn) => [turn.mailing.id, turn]));
    for (const position of this.positions[kind]) {
      turns.get(position.mailingId)?.take(kind, position, byScan.get(keyOf(position)) ?? []);
    }
  }
}

/** The most that a mailing's own rate lets into the queue now. */
function allowance(mailing: OpenMailing, scan: MailingScan, now: number, leadMs: number): number {
  const { ratePerSecond, grantedAheadMs } = mailing;
  if (ratePerSecond === null) return Infinity;
  const room = Math.ceil(ratePerSecond * RATED_AHEAD_S) + 1 - scan.offered.size;
  return Math.min(room, scan.pace.allowed(now, ratePerSecond, grantedAheadMs, leadMs));
}

/** By id, from the given one on. */
function rotated(mailings: OpenMailing[], first: number): OpenMailing[] {
  const order = mailings.toSorted((a, b) => a.id - b.id);
  const at = order.findIndex(({ id }) => id >= first);
  return at > 0 ? [...order.slice(at), ...order.slice(0, at)] : order;
}
