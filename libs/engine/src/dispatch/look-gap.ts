/** Half-life of the weight of a long gap, ms. */
const HALF_LIFE_MS = 3_000;
/** Between looks that are further apart than this there was nothing to feed, ms. */
const LONGEST_GAP_MS = 1_000;

/**
 * How far apart looks at a lane really are: the longest recent gap. On a busy machine that is much more
 * than what was asked for, and it varies. Times are monotonic, ms.
 */
export class LookGap {
  private lookedAt: number | null = null;
  private longest = 0;

  looked(now: number): void {
    const gap = this.lookedAt === null ? 0 : now - this.lookedAt;
    this.lookedAt = now;
    this.longest =
      gap > LONGEST_GAP_MS ? 0 : Math.max(gap, this.longest * 0.5 ** (gap / HALF_LIFE_MS));
  }

  get ms(): number {
    return this.longest;
  }
}
