import { inLanes } from './lanes.ts';

const namedMax = 5;

/**
 * Does `work` for each item, `width` at a time; one that fails holds up no other. Rejects when all
 * are done, naming those that failed and why.
 */
export async function eachApart<Item>(
  items: Iterable<Item>,
  width: number,
  nameOf: (item: Item) => string,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const failures: string[] = [];
  let firstError: unknown;
  await inLanes(items, width, async (item) => {
    try {
      await work(item);
    } catch (error) {
      firstError ??= error;
      failures.push(`${nameOf(item)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  if (failures.length > 0) {
    // In an order of their own, for the same failures to be told in the same words.
    const named = failures.toSorted().slice(0, namedMax);
    const more = failures.length - named.length;
    throw new Error([...named, ...(more > 0 ? [`and ${more} more`] : [])].join('; '), {
      cause: firstError,
    });
  }
}
