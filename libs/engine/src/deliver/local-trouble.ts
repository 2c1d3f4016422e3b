import type { Outcome } from '@app/channels';
import { type Clock, isLocalTrouble, type Logger, messageOf } from '@app/platform';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface LocalTroubleOptions {
  lane: { name: string };
  clock: Clock;
  logger: Logger;
  /** This process cannot connect to anything for now: it should take no work for so long, ms. */
  onPause?: (pauseMs: number) => void;
}

/**
 * How long a process without a descriptor, port or memory for a connection takes no work. Its
 * messages are given back for other workers, and the provider is not blamed.
 */
export class LocalTrouble {
  private failures = 0;
  private until = 0;

  constructor(private readonly options: LocalTroubleOptions) {}

  observe(outcome: Outcome): void {
    // A call that went out and was answered: there is room again.
    if (outcome.kind === 'delivered' || outcome.kind === 'rejected') this.failures = 0;
    else if (outcome.kind === 'skipped' && outcome.isLocal) this.pause(outcome.detail);
  }

  /** The database could not be reached: whether a descriptor or port was missing. */
  observeError(error: unknown): void {
    if (isLocalTrouble(error)) this.pause(messageOf(error));
  }

  private pause(error: string): void {
    const { lane, clock, logger, onPause } = this.options;
    const now = clock.monotonic();
    if (now < this.until) return;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
    this.failures++;
    this.until = now + pauseMs;
    logger.warn(
      { lane: lane.name, pauseMs, error },
      'this process has no descriptor or port left to connect with and takes no work for a while',
    );
    onPause?.(pauseMs);
  }
}
