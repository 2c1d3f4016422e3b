import { Batcher } from './batcher.js';

interface Call {
  items: number[];
  answer: (results: string[]) => void;
  fail: (error: Error) => void;
}

/** A batcher whose calls are answered by the test. */
function start(maxSize = 100) {
  const calls: Call[] = [];
  const batcher = new Batcher<number, string>((items) => {
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    calls.push({ items, answer: resolve, fail: reject });
    return promise;
  }, maxSize);
  const add = (...items: number[]) => items.map((item) => batcher.add(item));
  return { batcher, calls, add };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const resultsOf = (items: number[]) => items.map((item) => `result of ${item}`);
const callOf = (calls: Call[], index: number): Call => {
  const call = calls[index];
  if (!call) throw new Error(`there is no call ${index}`);
  return call;
};

describe('a batcher', () => {
  it('sends what was added in one turn of the loop together, and answers each its own', async () => {
    const { calls, add } = start();
    const results = add(1, 2, 3);
    await nextTurn();
    expect(calls.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    callOf(calls, 0).answer(resultsOf([1, 2, 3]));
    await expect(Promise.all(results)).resolves.toEqual(resultsOf([1, 2, 3]));
  });

  it('has one call under way: what comes meanwhile gathers for the next', async () => {
    const { batcher, calls, add } = start();
    const first = add(1);
    await nextTurn();
    const later = [...add(2), ...add(3)];
    await nextTurn();
    expect(calls).toHaveLength(1);
    expect(batcher.size).toBe(2);
    callOf(calls, 0).answer(resultsOf([1]));
    await first[0];
    await nextTurn();
    expect(callOf(calls, 1).items).toEqual([2, 3]);
    callOf(calls, 1).answer(resultsOf([2, 3]));
    await expect(Promise.all(later)).resolves.toEqual(resultsOf([2, 3]));
    expect(batcher.size).toBe(0);
  });

  it('keeps to its size and to the order of arrival', async () => {
    const { calls, add } = start(2);
    const results = add(1, 2, 3, 4, 5);
    for (let index = 0; index < 3; index++) {
      await nextTurn();
      const call = callOf(calls, index);
      call.answer(resultsOf(call.items));
    }
    await expect(Promise.all(results)).resolves.toEqual(resultsOf([1, 2, 3, 4, 5]));
    expect(calls.map(({ items }) => items)).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('fails the items of a failed call, and no others', async () => {
    const { calls, add } = start(1);
    const [failed, fine] = add(1, 2);
    await nextTurn();
    callOf(calls, 0).fail(new Error('the database is away'));
    await expect(failed).rejects.toThrow('the database is away');
    await nextTurn();
    callOf(calls, 1).answer(resultsOf([2]));
    await expect(fine).resolves.toBe('result of 2');
  });

  it('starts again after it had nothing to do', async () => {
    const { calls, add } = start();
    for (let round = 0; round < 2; round++) {
      const [result] = add(round);
      await nextTurn();
      callOf(calls, round).answer(resultsOf([round]));
      await expect(result).resolves.toBe(`result of ${round}`);
      await nextTurn();
    }
    expect(calls).toHaveLength(2);
  });
});
