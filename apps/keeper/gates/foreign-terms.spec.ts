import { expect, test } from 'vitest';
import { aCoupon } from '../../../test/harness/fixtures.ts';
import { hasForeignTerms } from './foreign-terms.ts';

const coupon = aCoupon({ total: 10, opensAt: 2_000, closesAt: 3_000 });

test('a gate that goes by what MySQL says was written by nobody else', () => {
  expect(hasForeignTerms(coupon, coupon)).toBe(false);
});

test.each([
  { total: 11 },
  { state: 'paused' as const },
  { opensAt: null },
  { opensAt: 2_001 },
  { closesAt: null },
  { kafkaPartition: 77 },
])('at the same version %j is', (written) => {
  expect(hasForeignTerms(coupon, { ...coupon, ...written })).toBe(true);
});

test('another version has other terms, and a total that is lowered is lower at the gate first', () => {
  expect(hasForeignTerms(coupon, { ...coupon, version: 2, total: 11, state: 'paused' })).toBe(
    false,
  );
  expect(hasForeignTerms(coupon, { ...coupon, total: 9 })).toBe(false);
});

test('a time before 1970 stands at the gate as the first moment after it', () => {
  const old = aCoupon({ opensAt: -5 });
  expect(hasForeignTerms(old, { ...old, opensAt: 1 })).toBe(false);
});
