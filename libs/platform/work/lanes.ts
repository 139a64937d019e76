/**
 * Does `work` for each item, `width` at a time, begun in the order of the items. When one fails, no
 * more are begun, and it rejects with that failure once those under way have ended.
 */
export async function inLanes<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  width: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  const shared = oneByOne(items, () => failures.length > 0);
  const lane = async (): Promise<void> => {
    try {
      for (let next = await shared.next(); next.done !== true; next = await shared.next()) {
        await work(next.value);
      }
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  if (failures.length > 0) {
    throw failures[0];
  }
}

async function* oneByOne<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  isOver: () => boolean,
): AsyncGenerator<Item> {
  for await (const item of items) {
    if (isOver()) {
      return;
    }
    yield item;
  }
}
