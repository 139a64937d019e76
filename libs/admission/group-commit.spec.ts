import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GroupCommitLimits } from './group-commit.ts';
import { GroupCommit, NotSentError } from './group-commit.ts';

/** Records every batch, and lets the test say when each lands. */
function createHarness(given: Partial<GroupCommitLimits> = {}) {
  const limits = { batchSizeMax: 3, inFlightMax: 1, waitMaxMs: 60_000, ...given };
  const trips: { key: string; items: number[]; land: () => void; fail: (error: Error) => void }[] =
    [];
  const commit = new GroupCommit<string, number, number>((key, items) => {
    const { promise, resolve, reject } = Promise.withResolvers<number[]>();
    const land = (): void => resolve(items.map((item) => item * 10));
    trips.push({ key, items, land, fail: reject });
    return promise;
  }, limits);
  return { trips, commit };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('GroupCommit', () => {
  it('sends what arrives in one turn as one batch, and gives each its own result', async () => {
    const { trips, commit } = createHarness();
    const results = Promise.all([commit.add('a', 1), commit.add('a', 2)]);
    await nextTurn();
    expect(trips.map(({ items }) => items)).toEqual([[1, 2]]);
    trips[0]!.land();
    expect(await results).toEqual([10, 20]);
  });

  it('lets one alone go at once: idle adds no wait', async () => {
    const { trips, commit } = createHarness();
    void commit.add('a', 1);
    await nextTurn();
    expect(trips).toHaveLength(1);
  });

  it('collects what arrives while all trips are out, up to the size of a batch', async () => {
    const { trips, commit } = createHarness();
    void commit.add('a', 1);
    await nextTurn();
    for (const item of [2, 3, 4, 5]) {
      void commit.add('a', item);
    }
    await nextTurn();
    expect(trips).toHaveLength(1);
    trips[0]!.land();
    await expect.poll(() => trips.length).toBe(2);
    expect(trips[1]!.items).toEqual([2, 3, 4]);
    trips[1]!.land();
    await expect.poll(() => trips.length).toBe(3);
    expect(trips[2]!.items).toEqual([5]);
  });

  it('keeps several batches in flight, never more than its limit', async () => {
    const { trips, commit } = createHarness({ batchSizeMax: 1, inFlightMax: 2 });
    for (const item of [1, 2, 3]) {
      void commit.add('a', item);
    }
    await nextTurn();
    await nextTurn();
    await nextTurn();
    expect(trips.map(({ items }) => items)).toEqual([[1], [2]]);
    trips[0]!.land();
    await expect.poll(() => trips.length).toBe(3);
  });

  it('lets a batch that is large enough go before the turn ends', async () => {
    const { trips, commit } = createHarness({ batchSizeEnough: 2, inFlightMax: 2 });
    for (const item of [1, 2, 3]) {
      void commit.add('a', item);
    }
    expect(trips.map(({ items }) => items)).toEqual([[1, 2]]);
    await nextTurn();
    expect(trips.map(({ items }) => items)).toEqual([[1, 2], [3]]);
  });

  it('keeps to its limit of batches in flight for those as well', async () => {
    const { trips, commit } = createHarness({ batchSizeEnough: 2, inFlightMax: 1 });
    for (const item of [1, 2, 3, 4, 5]) {
      void commit.add('a', item);
    }
    await nextTurn();
    expect(trips.map(({ items }) => items)).toEqual([[1, 2]]);
    trips[0]!.land();
    await expect.poll(() => trips.length).toBe(2);
    expect(trips[1]!.items).toEqual([3, 4, 5]);
  });

  it('keeps keys apart', async () => {
    const { trips, commit } = createHarness();
    void commit.add('a', 1);
    void commit.add('b', 2);
    await nextTurn();
    expect(trips.map(({ key, items }) => [key, items])).toEqual([
      ['a', [1]],
      ['b', [2]],
    ]);
  });

  it('fails a batch without failing the next', async () => {
    const { trips, commit } = createHarness();
    const first = commit.add('a', 1);
    await nextTurn();
    const second = commit.add('a', 2);
    trips[0]!.fail(new Error('lost'));
    await expect(first).rejects.toThrow('lost');
    await expect.poll(() => trips.length).toBe(2);
    trips[1]!.land();
    expect(await second).toBe(20);
  });

  it('rejects what found no trip in time, and sends what came later', async () => {
    const { trips, commit } = createHarness({ waitMaxMs: 30 });
    const first = commit.add('a', 1);
    await nextTurn();
    await expect(commit.add('a', 2)).rejects.toThrow(NotSentError);
    const third = commit.add('a', 3);
    trips[0]!.land();
    expect(await first).toBe(10);
    await expect.poll(() => trips.length).toBe(2);
    expect(trips[1]!.items).toEqual([3]);
    trips[1]!.land();
    expect(await third).toBe(30);
  });

  it('does not reject what is on its way, however long that takes', async () => {
    const { trips, commit } = createHarness({ waitMaxMs: 10 });
    const onItsWay = commit.add('a', 1);
    await nextTurn();
    await expect(commit.add('a', 2)).rejects.toThrow(NotSentError);
    trips[0]!.land();
    expect(await onItsWay).toBe(10);
  });

  it('sends no batch of nothing when a trip has landed and nobody waits', async () => {
    const { trips, commit } = createHarness({ inFlightMax: 2 });
    const first = commit.add('a', 1);
    await nextTurn();
    trips[0]!.land();
    await first;
    await nextTurn();
    await nextTurn();
    expect(trips).toHaveLength(1);
  });

  it('counts the trips that are still out when another has landed and nobody waited', async () => {
    const { trips, commit } = createHarness({ batchSizeMax: 1, inFlightMax: 2 });
    const first = commit.add('a', 1);
    void commit.add('a', 2);
    await nextTurn();
    await nextTurn();
    trips[0]!.land();
    await first;
    await nextTurn();
    void commit.add('a', 3);
    void commit.add('a', 4);
    await nextTurn();
    await nextTurn();
    expect(trips.map(({ items }) => items)).toEqual([[1], [2], [3]]);
  });

  it('keeps to its limit for who comes when one trip has landed and the next is out', async () => {
    const { trips, commit } = createHarness({ batchSizeMax: 1 });
    const first = commit.add('a', 1);
    void commit.add('a', 2);
    await nextTurn();
    trips[0]!.land();
    await first;
    await expect.poll(() => trips.length).toBe(2);
    void commit.add('a', 3);
    await nextTurn();
    await nextTurn();
    expect(trips).toHaveLength(2);
    trips[1]!.land();
    await expect.poll(() => trips.length).toBe(3);
  });
});

describe('GroupCommit while no trip comes back', () => {
  afterEach(() => vi.useRealTimers());

  it('rejects each when its own time is over, and not those who came after it', async () => {
    vi.useFakeTimers();
    const { trips, commit } = createHarness({ waitMaxMs: 100 });
    const ends: string[] = [];
    const wait = (item: number): void =>
      void commit.add('a', item).catch((error: Error) => {
        ends.push(`${item}: ${error.name}: ${error.message}`);
      });
    wait(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(trips).toHaveLength(1);
    wait(2);
    await vi.advanceTimersByTimeAsync(60);
    wait(3);
    await vi.advanceTimersByTimeAsync(45);
    expect(ends).toEqual(['2: NotSentError: no trip in 100 ms']);
    await vi.advanceTimersByTimeAsync(60);
    expect(ends).toEqual([
      '2: NotSentError: no trip in 100 ms',
      '3: NotSentError: no trip in 100 ms',
    ]);
  });
});
