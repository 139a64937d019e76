import { expect, test } from 'vitest';
import { ViolationList } from './finding.ts';

test('without violations an invariant holds', () => {
  expect(new ViolationList().toFinding('I1', 3)).toEqual({
    invariant: 'I1',
    violations: [],
    checked: 3,
  });
});

test('all violations are counted, the first five are told', () => {
  const list = new ViolationList();
  for (let i = 1; i <= 5; i += 1) {
    list.add(`number ${i}`);
  }
  const five = [1, 2, 3, 4, 5].map((i) => `number ${i}`);
  expect(list.toFinding('I2', 9).violations).toEqual(five);
  list.add('number 6');
  list.add('number 7');
  expect(list.toFinding('I2', 9).violations).toEqual([...five, '… and 2 more']);
});

test('the coupons of violations are named, each once, the first five', () => {
  const list = new ViolationList();
  for (const couponId of [7, 7, 1, 2, 3, 4, 5]) {
    list.add('drifted', couponId);
  }
  expect(list.toFinding('I4', 9).couponIds).toEqual([7, 1, 2, 3, 4]);
});
