import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LastLook } from './last-look.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

test('what was seen counts for a while, and is unknown when the next look hangs, or fails', async () => {
  const look = new LastLook<number>(3_000);
  expect(look.value).toBeUndefined();
  await look.refresh(async () => 7);
  vi.advanceTimersByTime(2_900);
  expect(look.value).toBe(7);
  void look.refresh(() => new Promise<number>(() => {}));
  vi.advanceTimersByTime(200);
  expect(look.value).toBeUndefined();
  await look.refresh(async () => 0);
  expect(look.value).toBe(0);
  await expect(look.refresh(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(look.value).toBeUndefined();
});
