import type { DueMessage, OpenMailing } from './dispatch.queries.js';
import { Offered } from './offered.js';
import { Pace } from './pace.js';

/** Each zone is looked at for retries that have become due about so often, ms. */
const RETRY_ROUND_MS = 1_000;
/** A zone that came to its end is read from its beginning again after this, to be sure, ms. */
const WRAP_MS = 10_000;
/** After a change, but not more often than this, ms: a scan must come further than what was fed. */
const REWIND_MS = 2_000;
/** What is left over of the retries' share is carried to the next look, but less than one message. */
const MOST_CREDIT = 0.8;

/** Where a scan goes on, along the index (not_before, id). */
interface Cursor {
  notBefore: string;
  id: number;
}

interface ZoneScan {
  fresh: Cursor;
  retries: Cursor;
  startedAt: number;
}

const BEGINNING: Cursor = { notBefore: '-infinity', id: 0 };

/**
 * How far the pending messages of one mailing have been fed, zone by zone. Lives in the leader's memory:
 * losing it only repeats some jobs, which the queue knows by their ids, and the claim decides.
 */
export class MailingScan {
  readonly pace = new Pace();
  readonly offered = new Offered();
  /** What retries may take of the mailing's share, with what is left over from the last look. */
  retryCredit = MOST_CREDIT;
  private readonly zones = new Map<number, ZoneScan>();
  /** Zones with fresh messages, as far as we know, in the order of their turns. */
  private readonly ready = new Set<number>();
  /** Zones with more due retries than were taken. */
  private readonly moreRetries = new Set<number>();
  private retryRound: number[] = [];
  private retryRoundAt = -Infinity;
  private total = 0;
  private version: string | null = null;
  private openZones: readonly number[] = [];
  private isChanged = false;
  private rewoundAt = -Infinity;

  /** Takes over what the latest read of the mailing found. */
  update({ zones, total, version }: OpenMailing, now: number): void {
    if (zones !== this.openZones) this.open(zones, now);
    // More was planned, behind all that was there: zones that came to their end go on from there.
    if (total !== this.total) for (const zoneId of zones) this.ready.add(zoneId);
    this.total = total;
    if (this.version !== null && version !== this.version) {
      this.isChanged = true;
      this.offered.hurry(now);
    }
    this.version = version;
    if (this.isChanged && now - this.rewoundAt >= REWIND_MS) this.rewind(now);
  }

  get hasFresh(): boolean {
    return this.ready.size > 0;
  }

  hasRetriesToLookFor(now: number): boolean {
    this.beginRetryRound(now);
    return this.moreRetries.size + this.retryRound.length > 0;
  }

  /** Zones whose turn it is, at most so many; they go to the end of the order. */
  takeFreshZones(most: number): number[] {
    const zones = [...this.ready].slice(0, most);
    for (const zoneId of zones) {
      this.ready.delete(zoneId);
      this.ready.add(zoneId);
    }
    return zones;
  }

  takeRetryZones(now: number, most: number): number[] {
    this.beginRetryRound(now);
    const zones = [...this.moreRetries].slice(0, most);
    for (const zoneId of zones) this.moreRetries.delete(zoneId);
    while (zones.length < most && this.retryRound.length > 0) {
      const zoneId = this.retryRound.pop();
      if (zoneId === undefined || zones.includes(zoneId)) continue;
      this.wrapIfLongAgo(zoneId, now);
      zones.push(zoneId);
    }
    return zones;
  }

  cursor(zoneId: number, kind: 'fresh' | 'retries'): Cursor {
    return this.zones.get(zoneId)?.[kind] ?? BEGINNING;
  }

  /**
   * Moves a scan behind what was taken of what it found. @returns how to undo that.
   *
   * @param isAtEnd all that there was has been taken.
   */
  advance(
    zoneId: number,
    kind: 'fresh' | 'retries',
    last: DueMessage | undefined,
    isAtEnd: boolean,
  ): () => void {
    const zone = this.zones.get(zoneId);
    if (!zone) throw new Error(`zone ${zoneId} is not open`);
    const before = zone[kind];
    if (last) zone[kind] = { notBefore: last.notBefore, id: last.id };
    const open = kind === 'fresh' ? this.ready : this.moreRetries;
    if (isAtEnd) open.delete(zoneId);
    else open.add(zoneId);
    return () => {
      if (this.zones.get(zoneId) !== zone) return;
      zone[kind] = before;
      open.add(zoneId);
    };
  }

  /** For what was to be read and was not. */
  lookForRetriesAgain(zoneId: number): void {
    if (this.zones.has(zoneId)) this.moreRetries.add(zoneId);
  }

  /** What of its share retries may have now. */
  retryShare(quota: number, share: number): number {
    return this.hasFresh ? Math.floor(this.retryCredit + quota * share) : quota;
  }

  settleRetryShare(quota: number, share: number, taken: number): void {
    const left = this.retryCredit + quota * share - taken;
    this.retryCredit = Math.min(MOST_CREDIT, Math.max(0, left));
  }

  private open(zones: readonly number[], now: number): void {
    const open = new Set(zones);
    for (const zoneId of this.zones.keys()) if (!open.has(zoneId)) this.close(zoneId);
    for (const zoneId of zones) {
      if (this.zones.has(zoneId)) continue;
      this.zones.set(zoneId, { fresh: BEGINNING, retries: BEGINNING, startedAt: now });
      this.ready.add(zoneId);
    }
    this.openZones = zones;
  }

  /** The mailing was changed: messages may be pending that were not when the scans passed them. */
  private rewind(now: number): void {
    this.isChanged = false;
    this.rewoundAt = now;
    for (const [zoneId, zone] of this.zones) {
      Object.assign(zone, { fresh: BEGINNING, retries: BEGINNING, startedAt: now });
      this.ready.add(zoneId);
    }
  }

  private beginRetryRound(now: number): void {
    if (this.retryRound.length > 0 || now - this.retryRoundAt < RETRY_ROUND_MS) return;
    this.retryRound = [...this.zones.keys()].reverse();
    this.retryRoundAt = now;
  }

  private wrapIfLongAgo(zoneId: number, now: number): void {
    const zone = this.zones.get(zoneId);
    if (!zone || this.ready.has(zoneId) || now - zone.startedAt < WRAP_MS) return;
    Object.assign(zone, { fresh: BEGINNING, retries: BEGINNING, startedAt: now });
    this.ready.add(zoneId);
  }

  private close(zoneId: number): void {
    this.zones.delete(zoneId);
    this.ready.delete(zoneId);
    this.moreRetries.delete(zoneId);
    this.retryRound = this.retryRound.filter((one) => one !== zoneId);
    this.offered.forgetZone(zoneId);
  }
}
