import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Trial } from './trial.js';

/** On its way a request passes a worker, the proxy in this process, and the stand-in. */
const HOPS = 3;

/**
 * Watches a rate from now on. What is reserved evenly arrives in bunches where the machine lets
 * processes wait for a core, so the longest such wait, as this process felt it, is allowed for on
 * every hop.
 *
 * @returns the look at the end: at most `rate` + 1 requests in any second, wherever it begins.
 */
export function watchRate(trial: Trial, rate: number, fromMs: number): () => Promise<void> {
  const waits = monitorEventLoopDelay({ resolution: 5 });
  waits.enable();
  return async () => {
    waits.disable();
    const allowed = Math.floor(rate * (1 + (HOPS * waits.max) / 1e9)) + 1;
    const most = mostInOneSecond((await trial.provider.timeline()).filter((at) => at > fromMs));
    trial.expect(most <= allowed, `at most ${allowed} in any second, not ${most}`);
  };
}

function mostInOneSecond(moments: number[]): number {
  moments.sort((a, b) => a - b);
  let from = 0;
  let most = 0;
  for (const [index, at] of moments.entries()) {
    while (at - (moments[from] ?? at) >= 1_000) from++;
    most = Math.max(most, index - from + 1);
  }
  return most;
}
