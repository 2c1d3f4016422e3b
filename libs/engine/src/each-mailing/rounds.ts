import type { Clock } from '@app/platform';

/**
 * Turns for many that all want more than their turn: each look takes as many as its time allows, and
 * begins behind the one that was last.
 */
export class Rounds<Item> {
  private last = -Infinity;

  /** @param idOf the items come in the order of their ids. */
  constructor(
    private readonly idOf: (item: Item) => number,
    private readonly clock: Pick<Clock, 'monotonic'>,
  ) {}

  /** At least one of the items, if there is any; none after the time is up. */
  *take(items: readonly Item[], budgetMs: number): Generator<Item> {
    const until = this.clock.monotonic() + budgetMs;
    const ordered = items.toSorted((a, b) => this.idOf(a) - this.idOf(b));
    const behind = ordered.findIndex((item) => this.idOf(item) > this.last);
    const turn = behind < 0 ? ordered : [...ordered.slice(behind), ...ordered.slice(0, behind)];
    for (const item of turn) {
      this.last = this.idOf(item);
      yield item;
      if (this.clock.monotonic() >= until) return;
    }
  }
}
