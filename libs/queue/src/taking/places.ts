/** Of all places, this part is left to lanes that hold few: a new one begins at once. */
const RESERVED_SHARE = 1 / 8;

/** A lane that holds places. */
export interface Holder {
  /** Places that it holds. */
  held: number;
  /** Most places that it may hold. */
  readonly cap: number;
  /** It may have more jobs than it holds. */
  readonly isAwake: boolean;
}

/**
 * The places of a process, shared by its lanes: a lane that has jobs waiting gets an equal part of what the
 * others leave, so that a slow lane cannot take them all.
 */
export class Places {
  private readonly lanes = new Set<Holder>();
  private held = 0;
  private readonly reserved: number;
  /** Lanes that hold fewer places than are reserved. */
  private few = 0;
  /** Most places of one lane at the moment; null: to be computed. */
  private level: number | null = null;

  /** @param total at least 1 */
  constructor(readonly total: number) {
    this.reserved = total < 2 ? 0 : Math.max(1, Math.floor(total * RESERVED_SHARE));
  }

  add(lane: Holder): void {
    this.lanes.add(lane);
    if (lane.held < this.reserved) this.few++;
    this.level = null;
  }

  remove(lane: Holder): void {
    if (this.lanes.delete(lane) && lane.held < this.reserved) this.few--;
    this.level = null;
  }

  /** A lane fell asleep or woke up. */
  changed(): void {
    this.level = null;
  }

  /** How many places the lane may take. */
  roomFor(lane: Holder): number {
    const free = this.total - this.held;
    if (free <= 0) return 0;
    const share = Math.min(lane.cap, this.share()) - lane.held;
    const open = Math.max(free - this.reservedFor(lane), this.reserved - lane.held);
    return Math.max(0, Math.min(free, share, open));
  }

  /** Whether a lane that holds a place may use it for another job. */
  mayKeep(lane: Holder): boolean {
    if (this.held > this.total || lane.held > lane.cap) return false;
    if (lane.held > this.share()) return false;
    return lane.held <= this.reserved || this.held <= this.total - this.reservedFor(lane);
  }

  take(lane: Holder, count: number): void {
    this.change(lane, count);
  }

  release(lane: Holder, count: number): void {
    this.change(lane, -count);
  }

  private change(lane: Holder, count: number): void {
    const hadFew = lane.held < this.reserved;
    lane.held += count;
    this.held += count;
    if (hadFew !== lane.held < this.reserved && this.lanes.has(lane)) this.few += hadFew ? -1 : 1;
    if (!lane.isAwake) this.level = null;
  }

  /** What this lane has to leave to others that hold few. */
  private reservedFor(lane: Holder): number {
    const others = this.few - (lane.held < this.reserved ? 1 : 0);
    return others > 0 ? this.reserved : 0;
  }

  /** Each lane that is awake gets as much, or as much as its cap; never nothing. */
  private share(): number {
    if (this.level !== null) return this.level;
    let left = this.total;
    const caps: number[] = [];
    for (const lane of this.lanes) {
      if (lane.isAwake) caps.push(lane.cap);
      else left -= lane.held;
    }
    caps.sort((a, b) => a - b);
    let level = this.total;
    caps.forEach((cap, index) => {
      level = left / (caps.length - index);
      left -= Math.min(cap, level);
    });
    this.level = Math.max(1, Math.floor(level));
    return this.level;
  }
}
