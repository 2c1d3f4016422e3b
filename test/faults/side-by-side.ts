/** Works through a list in parallel: each runner takes the next item when it is free. */
export async function sideBySide<Item, Hand>(
  items: readonly Item[],
  hands: readonly Hand[],
  work: (item: Item, hand: Hand) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const takeTurns = async (hand: Hand) => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item, hand);
  };
  await Promise.all(hands.map(takeTurns));
}
