import { expect, test } from 'vitest';
import { aCoupon } from '../../test/harness/fixtures.ts';
import type { Coupon } from './coupon.ts';
import { sellingState } from './coupon.ts';

const now = 1_000;

function stateOf(coupon: Partial<Coupon>, left = 1): string {
  return sellingState(aCoupon(coupon), left, now);
}

test('an open coupon sells while something is left', () => {
  expect(stateOf({})).toBe('OPEN');
  expect(stateOf({}, 0)).toBe('SOLD_OUT');
});

test('opens at the very millisecond it says', () => {
  expect(stateOf({ opensAt: now + 1 })).toBe('NOT_OPEN');
  expect(stateOf({ opensAt: now })).toBe('OPEN');
});

test('closes at the very millisecond it says', () => {
  expect(stateOf({ closesAt: now + 1 })).toBe('OPEN');
  expect(stateOf({ closesAt: now })).toBe('CLOSED');
});

test('says paused and closed before it says sold out', () => {
  expect(stateOf({ state: 'paused' }, 0)).toBe('PAUSED');
  expect(stateOf({ state: 'closed' }, 0)).toBe('CLOSED');
});

test('says closed before not open, and not open before paused, as the gate does', () => {
  expect(stateOf({ state: 'closed', opensAt: now + 1 })).toBe('CLOSED');
  expect(stateOf({ opensAt: now + 1, closesAt: now })).toBe('CLOSED');
  expect(stateOf({ state: 'paused', opensAt: now + 1 })).toBe('NOT_OPEN');
});
