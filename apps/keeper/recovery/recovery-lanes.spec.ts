import { expect, test } from 'vitest';
import type { Rebuildable } from './recovery-lanes.ts';
import { RecoveryLanes } from './recovery-lanes.ts';

interface One extends Rebuildable {
  name: string;
}

/** Lanes in which everything lasts until it is ended by name. */
function longLanes() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const lanes = new RecoveryLanes<One>(async ({ name }) => {
    begun.push(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.set(name, resolve);
    await promise;
  });
  return { lanes, begun, ends };
}

function ones(kind: string, count: number, rank: number, holders: number): One[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${kind}-${i + 1}`,
    need: { rank, demand: 0, opensAt: 0, couponId: count - i },
    holders,
  }));
}

const small = 10;
const big = 50_000;

test('eight are in work, the most needed of those that are ready first', async () => {
  const { lanes, begun, ends } = longLanes();
  lanes.add([...ones('closed', 5, 4, small), ...ones('open', 5, 0, small)]);
  expect(begun).toEqual([
    ...['1', '2', '3', '4', '5'].map((i) => `open-${i}`),
    'closed-1',
    'closed-2',
    'closed-3',
  ]);
  lanes.add(ones('rush', 1, 0, small));
  ends.get('closed-1')!();
  await expect.poll(() => begun.at(-1)).toBe('rush-1');
});

test('big ones leave lanes to small ones, and big ones that are over leave lanes to those that sell', () => {
  const { lanes, begun } = longLanes();
  lanes.add(ones('old', 9, 4, big));
  expect(begun).toEqual(['old-1']);
  lanes.add(ones('hot', 9, 0, big));
  expect(begun).toEqual(['old-1', 'hot-1', 'hot-2', 'hot-3']);
  lanes.add(ones('small', 9, 4, small));
  expect(begun.slice(4)).toEqual(['small-1', 'small-2', 'small-3', 'small-4']);
});

test('big ones wait for big ones only, and those that are over for those that are over only', () => {
  const { lanes, begun } = longLanes();
  lanes.add([...ones('small', 4, 0, small), ...ones('hot', 1, 0, big)]);
  lanes.add(ones('old', 2, 4, big));
  expect(begun.slice(4)).toEqual(['hot-1', 'old-1']);
  lanes.add(ones('almost big', 2, 4, big - 1));
  expect(begun.slice(6)).toEqual(['almost big-1', 'almost big-2']);
});

test('when it is drained, nothing more is begun, and what is in work has ended', async () => {
  const { lanes, begun, ends } = longLanes();
  lanes.add(ones('one', 9, 0, small));
  let isDrained = false;
  const drain = async (): Promise<void> => {
    await lanes.drain();
    isDrained = true;
  };
  const drained = drain();
  const [first, ...others] = ends.values();
  others.forEach((end) => end());
  await nothingMoreToDo();
  expect(isDrained).toBe(false);
  first!();
  await drained;
  await nothingMoreToDo();
  expect(begun).toHaveLength(8);
});

/** Returns when all that has been resolved has had its effect. */
function nothingMoreToDo(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
