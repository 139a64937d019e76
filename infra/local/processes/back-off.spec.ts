import { expect, test } from 'vitest';
import { BackOff } from './back-off.ts';

test('waits twice as long after each death in a row, at most 10 s', () => {
  const backOff = new BackOff();
  const waits = Array.from({ length: 7 }, () => backOff.nextWaitMs(100));
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test('is eager again after a process stayed up for 30 s', () => {
  const backOff = new BackOff();
  backOff.nextWaitMs(100);
  backOff.nextWaitMs(100);
  expect(backOff.nextWaitMs(29_999)).toBe(2_000);
  expect(backOff.nextWaitMs(30_000)).toBe(500);
});
