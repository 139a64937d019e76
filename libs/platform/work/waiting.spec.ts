import { expect, it } from 'vitest';
import { backOffMs, pauseFor, within } from './waiting.ts';

it('the wait doubles with every failure, up to the longest', () => {
  const waits = [1, 2, 3, 4, 5, 6, 1_000].map((n) => backOffMs({ firstMs: 500, maxMs: 10_000 }, n));
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

it('a pause ends when it is aborted', async () => {
  const ending = new AbortController();
  const pause = pauseFor(60_000, ending.signal);
  ending.abort();
  await expect(pause).resolves.toBeUndefined();
});

it('within hands on the result or the error, and rejects when it takes too long', async () => {
  await expect(within(1_000, () => Promise.resolve(7))).resolves.toBe(7);
  await expect(within(1_000, () => Promise.reject(new RangeError('no')))).rejects.toThrow('no');
  await expect(within(1, () => new Promise(() => {}))).rejects.toThrow('no answer within 1 ms');
});
