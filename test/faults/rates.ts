import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Trial } from './trial.js';

/** A request passes a worker, the proxy in this process, and the stand-in. */
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

/** When the requests of each mailing arrived. */
export async function momentsOf(trial: Trial): Promise<Map<number, number[]>> {
  const rows = await trial.sql<{ id: number; mailing: number }>(
    'SELECT id, mailing_id AS mailing FROM messages',
  );
  const owners = new Map(rows.map(({ id, mailing }) => [id, mailing]));
  const moments = new Map<number, number[]>();
  for (const { id, okTimes } of await trial.provider.received()) {
    const owner = owners.get(id);
    if (owner === undefined) continue;
    const known = moments.get(owner);
    if (known) known.push(...okTimes);
    else moments.set(owner, [...okTimes]);
  }
  return moments;
}

/**
 * Watches from now on. @returns what ends the watching, and that returns the look: 90 % to 105 % of a
 * rate over so many seconds, and in none of them more than the rate and 8 % of it, or one.
 */
export function measureRates(
  trial: Trial,
  fromMs: number,
  seconds: number,
): () => (what: string, rate: number, moments: number[]) => void {
  const waits = monitorEventLoopDelay({ resolution: 5 });
  waits.enable();
  return () => {
    waits.disable();
    const bunch = (HOPS * waits.max) / 1e9;
    return (what, rate, moments) => {
      const within = moments.filter((at) => at >= fromMs && at < fromMs + seconds * 1_000);
      const [least, most] = [0.9 * rate * seconds - 1, 1.05 * rate * seconds + 1];
      trial.expect(
        within.length >= least && within.length <= most,
        `${what}: ${rate}/s for ${seconds} s, and ${within.length} were sent`,
      );
      const allowed = Math.ceil(rate * (1 + bunch) + Math.max(1, 0.08 * rate));
      const worst = mostInOneSecond(within);
      trial.expect(worst <= allowed, `${what}: at most ${allowed} in any second, not ${worst}`);
    };
  };
}
