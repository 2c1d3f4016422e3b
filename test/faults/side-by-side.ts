/** Works through a list with so many at a time; answers in the order of the list. */
export async function sideBySide<T, R>(
  items: readonly T[],
  jobs: number,
  work: (item: T, lane: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (number: number) => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await work(items[index] as T, number);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, (_, n) => lane(n)));
  return results;
}
