/** Sizes that double; bounds of 8 KB lie inside, where the cost within a bound would show. */
const SIZES = [2_048, 4_096, 8_192, 16_384, 32_768, 65_536];

/** Faster than this no growth is told from noise, ms. */
const NOTICEABLE_MS = 5;
/** Four times the size takes four times as long, or sixteen times if it is quadratic. */
const MOST_GROWTH = 9;
/** Nothing that somebody sends may hold the loop for longer, ms. */
const MOST_MS = 100;
const LOOKS = 8;

export interface Reader<Input> {
  /** Makes of a text what is read: not measured. */
  prepare: (text: string) => Input;
  read: (input: Input) => unknown;
}

export interface Growth {
  /** Milliseconds of this thread's CPU by size, the best of some runs: others may be busy. */
  ms: number[];
  fault: string | null;
}

/**
 * How the time of `work` grows with the size of its input. What looks worse than linear is measured
 * again, for a busy machine is slow at random and a bad pattern always.
 */
export function growthOf<Input>(reader: Reader<Input>, make: (size: number) => string): Growth {
  const { prepare, read: work } = reader;
  const inputs = SIZES.map((size) => prepare(make(size)));
  const best = inputs.map(() => Infinity);
  let fault: string | null = null;
  for (let look = 0; look < LOOKS; look++) {
    for (const [index, input] of inputs.entries()) {
      // What was out of bounds is not repeated at a larger size.
      best[index] = Math.min(best[index] ?? Infinity, millisecondsOf(work, input));
      if ((best[index] ?? 0) > 2 * MOST_MS) break;
    }
    fault = faultOf(best);
    const isBlatant = look > 0 && best.some((time) => time !== Infinity && time > MOST_MS);
    if (fault === null || isBlatant) break;
  }
  return { ms: best, fault };
}

function faultOf(ms: readonly number[]): string | null {
  for (const [index, time] of ms.entries()) {
    if (time === Infinity) continue;
    if (time > MOST_MS) return `${time.toFixed(1)} ms for ${SIZES[index]} bytes`;
    const quarter = ms[index - 2];
    if (quarter === undefined || time < NOTICEABLE_MS) continue;
    const growth = time / Math.max(quarter, NOTICEABLE_MS / 10);
    if (growth > MOST_GROWTH) {
      return `four times the bytes (${SIZES[index]}) take ${growth.toFixed(1)} times as long, ${time.toFixed(1)} ms`;
    }
  }
  return null;
}

function millisecondsOf<Input>(work: (input: Input) => unknown, input: Input): number {
  const before = process.threadCpuUsage();
  try {
    work(input);
  } catch {
    // Refusing it is an answer too.
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
