import { Rounds } from './rounds.js';

describe('turns of many', () => {
  let now = 0;
  const rounds = () => new Rounds<number>((id) => id, { monotonic: () => now });
  /** What is taken when each item takes so long. */
  function look(turns: Rounds<number>, items: number[], eachMs: number): number[] {
    const taken: number[] = [];
    for (const item of turns.take(items, 100)) {
      taken.push(item);
      now += eachMs;
    }
    return taken;
  }

  it('are all taken while there is time', () => {
    expect(look(rounds(), [1, 2, 3], 10)).toEqual([1, 2, 3]);
  });

  it('begin behind the one that was last, whichever were added or removed', () => {
    const turns = rounds();
    expect(look(turns, [1, 2, 3], 60)).toEqual([1, 2]);
    expect(look(turns, [1, 3, 4], 60)).toEqual([3, 4]);
    expect(look(turns, [1, 3, 4], 200)).toEqual([1]);
    expect(look(turns, [3], 200)).toEqual([3]);
    expect(look(turns, [3], 200)).toEqual([3]);
    expect(look(turns, [], 200)).toEqual([]);
  });
});
