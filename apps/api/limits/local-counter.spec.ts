import { expect, test } from 'vitest';
import { LocalCounter } from './local-counter.ts';

test('counts each by itself, in a window that begins with its first request', () => {
  const counter = new LocalCounter(1_000);
  expect(counter.count('a', 0)).toEqual({ used: 1, endsInMs: 1_000 });
  expect(counter.count('a', 400)).toEqual({ used: 2, endsInMs: 600 });
  expect(counter.count('b', 999)).toEqual({ used: 1, endsInMs: 1_000 });
  expect(counter.count('a', 999)).toEqual({ used: 3, endsInMs: 1 });
  expect(counter.count('a', 1_000)).toEqual({ used: 1, endsInMs: 1_000 });
  expect(counter.count('b', 1_000)).toEqual({ used: 2, endsInMs: 999 });
});

test('keeps a bounded number, however many come, and forgets the oldest first', () => {
  const counter = new LocalCounter(1_000, 100);
  for (let i = 0; i < 10_000; i += 1) {
    counter.count(`address-${i}`, i / 1_000);
    expect(counter.size).toBeLessThanOrEqual(100);
  }
  expect(counter.count('address-9999', 20).used).toBe(2);
  expect(counter.count('address-0', 20).used).toBe(1);
});

test('keeps nothing of those whose windows are over', () => {
  const counter = new LocalCounter(1_000);
  for (let i = 0; i < 1_000; i += 1) {
    counter.count(`a-${i}`, 0);
  }
  for (let i = 0; i < 1_000; i += 1) {
    counter.count(`b-${i}`, 5_000);
  }
  expect(counter.size).toBe(1_000);
});
