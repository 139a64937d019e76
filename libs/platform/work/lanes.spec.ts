import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inLanes } from './lanes.ts';

test('does every item once, in order, and never more than the width at a time', async () => {
  const begun: number[] = [];
  let atWork = 0;
  let mostAtWork = 0;
  await inLanes([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    begun.push(item);
    mostAtWork = Math.max(mostAtWork, ++atWork);
    await delay(item % 2);
    atWork -= 1;
  });
  expect(begun).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(mostAtWork).toBe(3);
});

test('begins with what has come while more is still to come', async () => {
  const more = Promise.withResolvers<void>();
  async function* items(): AsyncGenerator<string> {
    yield 'first';
    await more.promise;
    yield 'second';
  }
  const done: string[] = [];
  await inLanes(items(), 2, async (item) => {
    done.push(item);
    more.resolve();
  });
  expect(done).toEqual(['first', 'second']);
});

test('begins nothing more after a failure, and rejects when the others have ended', async () => {
  const ended: number[] = [];
  const work = inLanes([1, 2, 3, 4], 2, async (item) => {
    await delay(item * 10);
    if (item === 1) {
      throw new Error('no');
    }
    ended.push(item);
  });
  await expect(work).rejects.toThrow('no');
  expect(ended).toEqual([2]);
});

test('rejects when the items themselves fail', async () => {
  async function* items(): AsyncGenerator<number> {
    yield 1;
    throw new Error('none left');
  }
  await expect(inLanes(items(), 4, async () => {})).rejects.toThrow('none left');
});
