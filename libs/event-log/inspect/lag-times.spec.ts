import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PartitionLag } from './consumer-lag.ts';
import { LagTimes } from './lag-times.ts';
import type { Place } from './record-times.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

/** A log whose records are appended at the second of their offset, by a clock that is ahead by so much. */
function aLog(aheadMs = 0) {
  const reads: Place[][] = [];
  const times = new LagTimes({
    read: async (places) => {
      reads.push([...places]);
      return places.map(({ offset }) => 1_000_000 + offset * 1_000 + aheadMs);
    },
  });
  return { times, reads };
}

function lag(partition: number, committed: number, high: number): PartitionLag {
  return { partition, committed, high, logStart: 0, lag: high - committed };
}

test('the age is that of the first record that is not decided; without a lag it is 0, and nothing is read', async () => {
  const { times, reads } = aLog();
  vi.setSystemTime(1_009_000);
  await times.note([lag(0, 7, 7), lag(1, 3, 9)], Date.now());
  vi.setSystemTime(1_010_000);
  expect(times.secondsOf(lag(0, 7, 7))).toBe(0);
  expect(times.secondsOf(lag(1, 3, 9))).toBe(7);
  expect(times.secondsOf({ ...lag(1, 3, 9), lag: null })).toBeNull();
  expect(times.secondsOf(lag(2, 3, 9))).toBeNull();
  expect(reads).toEqual([[{ partition: 1, offset: 3 }]]);
});

test('one that stands still is read once, however long it stands', async () => {
  const { times, reads } = aLog();
  await times.note([lag(0, 3, 9)], Date.now());
  await times.note([lag(0, 3, 9)], Date.now());
  expect(reads).toHaveLength(1);
  await times.note([lag(0, 4, 9)], Date.now());
  expect(reads.at(-1)).toEqual([{ partition: 0, offset: 4 }]);
});

test('where no clock here can be right, the age is still by that of the broker', async () => {
  const { times } = aLog(-60_000);
  await times.note([lag(0, 0, 0)], Date.now());
  vi.setSystemTime(1_001_000);
  await times.note([lag(0, 0, 1)], Date.now());
  // Appended a second ago at most, though its time is of a minute ago.
  expect(times.secondsOf(lag(0, 0, 1))).toBeLessThanOrEqual(1);
  vi.setSystemTime(1_011_000);
  expect(times.secondsOf(lag(0, 0, 1))).toBeCloseTo(11, 0);
});

test('of hundreds of partitions some are read each time, and all in the end', async () => {
  const { times, reads } = aLog();
  const lags = Array.from({ length: 100 }, (_, partition) => lag(partition, 1, 9));
  for (let round = 0; round < 4; round += 1) {
    await times.note(lags, Date.now());
  }
  expect(reads.map((places) => places.length)).toEqual([32, 32, 32, 4]);
  expect(lags.every((one) => times.secondsOf(one) !== null)).toBe(true);
});

test('nothing is known once a broker did not answer', async () => {
  const { times } = aLog();
  await times.note([lag(0, 3, 9)], Date.now());
  const failing = new LagTimes({ read: () => Promise.reject(new Error('away')) });
  await expect(failing.note([lag(0, 3, 9)], Date.now())).rejects.toThrow('away');
  expect(failing.secondsOf(lag(0, 3, 9))).toBeNull();
  expect(times.secondsOf(lag(0, 3, 9))).not.toBeNull();
});
