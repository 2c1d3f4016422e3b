/** Time, injected so that tests can stop it. The database's clock decides about sending. */
export interface Clock {
  now(): Date;
  /** Milliseconds from an arbitrary origin; never goes back, not even when the wall clock does. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
};
