export interface WaitOptions {
  timeoutMs: number;
  /** For the error: `the mailing has finished`. */
  what: string;
  everyMs?: number;
}

/**
 * Calls `look` until it returns something (not `undefined`, `null` or `false`). An error
 * counts as nothing: services are down on purpose here.
 *
 * @throws when there is nothing in time, with the last failure as the cause.
 */
export async function waitFor<T>(
  look: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  { timeoutMs, what, everyMs = 50 }: WaitOptions,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= until) {
      throw new Error(`not within ${Math.round(timeoutMs)} ms: ${what}`, { cause });
    }
    await sleep(everyMs);
  }
}

/** Only where time itself is what matters. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
