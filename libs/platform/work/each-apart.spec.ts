import { expect, test } from 'vitest';
import { eachApart } from './each-apart.ts';

const nameOf = (item: number): string => `coupon ${item}`;

test('one that fails holds up no other, and is named', async () => {
  const done: number[] = [];
  const work = async (item: number): Promise<void> => {
    if (item === 2) {
      throw new Error('broken');
    }
    done.push(item);
  };
  await expect(eachApart([1, 2, 3], 1, nameOf, work)).rejects.toThrow(/^coupon 2: broken$/);
  expect(done).toEqual([1, 3]);
});

test('of many that fail a few are named, in the same words each time', async () => {
  const items = Array.from({ length: 9 }, (_, i) => i + 1);
  const fail = (): Promise<void> => Promise.reject(new Error('away'));
  const messages = await Promise.all(
    [items, items.toReversed()].map((order) =>
      eachApart(order, 3, nameOf, fail).catch((error: Error) => error.message),
    ),
  );
  expect(messages[0]).toBe(messages[1]);
  expect(messages[0]).toMatch(/^coupon 1: away; .*; and 4 more$/);
});

test('resolves when none fails', async () => {
  await expect(eachApart([1, 2], 2, nameOf, async () => {})).resolves.toBeUndefined();
});
