import type { Clock } from '@app/platform';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * How long a process takes no work that has no descriptor, port or memory left to connect with. Its
 * messages are given back for other workers, and the provider is not blamed.
 */
export class LocalTrouble {
  private failures = 0;
  private until = 0;

  constructor(private readonly clock: Clock) {}

  /** @returns for how long to take no work, ms; null: a pause has begun already. */
  failed(): number | null {
    const now = this.clock.monotonic();
    if (now < this.until) return null;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
    this.failures++;
    this.until = now + pauseMs;
    return pauseMs;
  }

  /** A call went out: there is room again. */
  succeeded(): void {
    this.failures = 0;
  }
}
