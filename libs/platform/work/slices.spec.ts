import { expect, test } from 'vitest';
import { inSlices } from './slices.ts';

test('every item is in one slice, in order, and no slice is larger than allowed', () => {
  expect(inSlices([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(inSlices([1, 2, 3, 4], 2)).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test('nothing makes no slice', () => {
  expect(inSlices([], 2)).toEqual([]);
});
