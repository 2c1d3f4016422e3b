import type { Clock } from '@app/platform';
import type { DueMessage, OpenSlot, ScanPosition } from './dispatch.queries.js';

/** A scan that came to its end begins anew, but not more often than this. */
const LEAST_WRAP_MS = 1_000;
/** Even a scan that is under way begins anew after this: what the queue lost is found again. */
const MOST_WRAP_MS = 10_000;

/** A message that was fed is taken to be in the queue for one to two of these. */
const REMEMBER_MS = 10_000;

interface Cursor {
  notBefore: string;
  id: number;
  startedAt: number;
  atEnd: boolean;
}

/** What was fed lately: message ids with the attempt they were fed for. */
interface Memory {
  recent: Map<number, number>;
  older: Map<number, number>;
  turnedAt: number;
}

/**
 * How far the pending messages of each mailing and zone have been fed to the queue. Lives in the
 * leader's memory: losing it only repeats some jobs, and the claim decides about those.
 */
export class Scan {
  private readonly cursors = new Map<string, Cursor>();
  private readonly fed = new Map<string, Memory>();
  /** More was stored since the latest look began: it may have come to an end that is none. */
  private moreStored = false;

  constructor(private readonly clock: Clock) {}

  /**
   * Splits `room` fairly: first between the mailings, then between the zones of each.
   *
   * @param allowance the most that a mailing's own rate lets through now.
   */
  positions(
    slots: OpenSlot[],
    room: number,
    allowance: (slot: OpenSlot) => number,
  ): ScanPosition[] {
    this.moreStored = false;
    const ready = slots.filter((slot) => this.isReady(slot));
    const zones = new Map<number, number>();
    for (const slot of ready) zones.set(slot.mailingId, (zones.get(slot.mailingId) ?? 0) + 1);
    const share = Math.ceil(room / Math.max(1, zones.size));
    return ready
      .map((slot): ScanPosition => {
        const { notBefore, id } = this.cursor(slot);
        const most = Math.min(share, allowance(slot));
        const limit = Math.ceil(most / (zones.get(slot.mailingId) ?? 1));
        return { mailingId: slot.mailingId, zoneId: slot.zoneId, notBefore, id, limit };
      })
      .filter((position) => position.limit > 0);
  }

  /** Moves the cursors behind what was found. @returns what is not in the queue already. */
  advance(positions: ScanPosition[], found: DueMessage[]): DueMessage[] {
    const byScan = Map.groupBy(found, keyOf);
    const fresh: DueMessage[] = [];
    for (const position of positions) {
      const messages = byScan.get(keyOf(position)) ?? [];
      const cursor = this.cursor(position);
      cursor.atEnd = messages.length < position.limit && !this.moreStored;
      const last = messages.at(-1);
      if (last) Object.assign(cursor, { notBefore: last.notBefore, id: last.id });
      const memory = this.memory(position);
      for (const message of messages) {
        if (memory.recent.get(message.id) === message.attempts) continue;
        if (memory.older.get(message.id) === message.attempts) continue;
        memory.recent.set(message.id, message.attempts);
        fresh.push(message);
      }
    }
    return fresh;
  }

  /** The queue is empty: what was fed is done or lost. */
  forgetFed(): void {
    this.fed.clear();
  }

  /** More messages were stored, behind all others: a scan that came to its end goes on from there. */
  goOn(): void {
    this.moreStored = true;
    for (const cursor of this.cursors.values()) cursor.atEnd = false;
  }

  /** Something may have become due that was not when the scan passed it. */
  rewind(): void {
    this.cursors.clear();
    this.fed.clear();
  }

  /** Forgets what is not open any more, so that it starts from the beginning when it opens again. */
  keepOnly(slots: OpenSlot[]): void {
    const open = new Set(slots.map(keyOf));
    for (const map of [this.cursors, this.fed]) {
      for (const key of map.keys()) if (!open.has(key)) map.delete(key);
    }
  }

  private isReady(slot: OpenSlot): boolean {
    const cursor = this.cursor(slot);
    const age = this.clock.monotonic() - cursor.startedAt;
    if (age >= MOST_WRAP_MS || (cursor.atEnd && age >= LEAST_WRAP_MS)) {
      this.cursors.delete(keyOf(slot));
      return true;
    }
    return !cursor.atEnd;
  }

  private memory(key: { mailingId: number; zoneId: number }): Memory {
    const now = this.clock.monotonic();
    let memory = this.fed.get(keyOf(key));
    if (!memory) {
      memory = { recent: new Map(), older: new Map(), turnedAt: now };
      this.fed.set(keyOf(key), memory);
    } else if (now - memory.turnedAt >= REMEMBER_MS) {
      Object.assign(memory, { recent: new Map(), older: memory.recent, turnedAt: now });
    }
    return memory;
  }

  private cursor(key: { mailingId: number; zoneId: number }): Cursor {
    let cursor = this.cursors.get(keyOf(key));
    if (!cursor) {
      cursor = {
        notBefore: '-infinity',
        id: 0,
        startedAt: this.clock.monotonic(),
        atEnd: false,
      };
      this.cursors.set(keyOf(key), cursor);
    }
    return cursor;
  }
}

function keyOf(key: { mailingId: number; zoneId: number }): string {
  return `${key.mailingId}/${key.zoneId}`;
}
