/**
 * Until when the messages of one rate have been fed: the n-th message is fed a little before the
 * moment at which the claim can grant it. Times are monotonic, ms.
 */
export class Pace {
  private until = -Infinity;

  /**
   * @param aheadMs how far ahead of now the claims have given moments away; null or negative: not at all.
   * @param leadMs how long before its moment a message is fed.
   * @returns how many messages may be fed now.
   */
  allowed(now: number, rate: number, aheadMs: number | null, leadMs: number): number {
    const step = 1_000 / rate;
    const given = aheadMs === null ? now : now + aheadMs;
    // Bounded from above too: the rate may have been a slower one when this was fed.
    this.until = Math.min(Math.max(this.until, given, now), now + leadMs + step);
    return Math.floor((now + leadMs - this.until) / step) + 1;
  }

  /** How far ahead of now has been fed, ms. */
  ahead(now: number): number {
    return Math.max(0, this.until - now);
  }

  spend(count: number, rate: number): void {
    this.until += (count * 1_000) / rate;
  }
}
