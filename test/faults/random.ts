/** Repeatable random numbers (mulberry32): the same seed draws the same again. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both bounds included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** @throws RangeError for an empty list. */
  pick<T>(items: readonly T[]): T {
    const index = this.between(0, items.length - 1);
    if (index >= items.length) throw new RangeError('nothing to pick from');
    return items[index] as T;
  }
}

/** A seed of its own for each run, so that `--only` draws the same as the whole suite. */
export function seedOf(seed: number, ...names: string[]): number {
  let hash = seed >>> 0;
  for (const char of names.join('/')) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return hash;
}
