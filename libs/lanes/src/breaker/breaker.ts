import type { Clock } from '@app/platform';

const WINDOW_MS = 30_000;
const BUCKET_MS = 1_000;
const LEAST_CALLS = 20;
const BAD_SHARE = 0.5;
const BAD_IN_A_ROW = 10;

/**
 * One worker's view of a lane's health. It only decides when to trip; the state that all share is in
 * the `lanes` table.
 */
export class BreakerWindow {
  private buckets: { start: number; good: number; bad: number }[] = [];
  private badInARow = 0;

  constructor(private readonly clock: Clock) {}

  good(): void {
    this.badInARow = 0;
    this.current().good++;
  }

  /** @returns whether this was one too many. */
  bad(): boolean {
    this.badInARow++;
    this.current().bad++;
    if (this.badInARow >= BAD_IN_A_ROW) return true;
    const good = this.buckets.reduce((sum, bucket) => sum + bucket.good, 0);
    const bad = this.buckets.reduce((sum, bucket) => sum + bucket.bad, 0);
    return good + bad >= LEAST_CALLS && bad >= (good + bad) * BAD_SHARE;
  }

  reset(): void {
    this.buckets = [];
    this.badInARow = 0;
  }

  private current() {
    const now = this.clock.monotonic();
    const last = this.buckets.at(-1);
    if (last && now - last.start < BUCKET_MS) return last;
    while (this.buckets[0] && now - this.buckets[0].start >= WINDOW_MS) this.buckets.shift();
    const bucket = { start: now, good: 0, bad: 0 };
    this.buckets.push(bucket);
    return bucket;
  }
}
