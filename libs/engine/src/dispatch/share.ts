export interface Shares {
  parts: number[];
  /** Who comes first the next time: the one after the last that got one of the rest. */
  next: number;
}

/**
 * Splits `room` into whole parts, as equal as the limits allow. What cannot be split goes to the first
 * ones, one each; who got nothing of it comes first the next time, so that over time all get equal
 * parts, however many they are and however little room there is.
 */
export function share(room: number, limits: readonly number[]): Shares {
  const parts = limits.map(() => 0);
  let open = limits.flatMap((limit, index) => (limit >= 1 ? [index] : []));
  let left = Math.floor(room);
  while (left > 0 && open.length > 0) {
    const each = Math.floor(left / open.length);
    if (each === 0) {
      for (const index of open.slice(0, left)) parts[index] = (parts[index] ?? 0) + 1;
      return { parts, next: open[left] ?? 0 };
    }
    for (const index of open) {
      const part = Math.min(each, Math.floor(limits[index] ?? 0) - (parts[index] ?? 0));
      parts[index] = (parts[index] ?? 0) + part;
      left -= part;
    }
    open = open.filter((index) => (parts[index] ?? 0) < Math.floor(limits[index] ?? 0));
  }
  return { parts, next: 0 };
}

/** One of each list in turn, until all are used up. */
export function interleave<Item>(lists: readonly (readonly Item[])[]): Item[] {
  const [first = []] = lists;
  if (lists.length < 2) return [...first];
  const longest = Math.max(...lists.map((list) => list.length));
  const items: Item[] = [];
  for (let index = 0; index < longest; index++) {
    for (const list of lists) {
      const item = list[index];
      if (item !== undefined) items.push(item);
    }
  }
  return items;
}
