import { expect, test } from 'vitest';
import { aCoupon } from '../../test/harness/fixtures.ts';
import { compareTerms } from './terms-comparison.ts';

test('a gate that goes by what MySQL says does not differ, however many are issued', () => {
  expect(compareTerms(aCoupon({ issued: 3, epoch: 4 }), aCoupon())).toEqual([]);
});

test('each thing that differs has a line', () => {
  const coupon = aCoupon({ version: 3, total: 20, state: 'paused', opensAt: 5, kafkaPartition: 1 });
  expect(compareTerms(coupon, aCoupon({ closesAt: 9 }))).toEqual([
    'version: MySQL has 3, the gate 1',
    'total: MySQL has 20, the gate 10',
    'state: MySQL has paused, the gate open',
    'opens_at: MySQL has 5, the gate none',
    'closes_at: MySQL has none, the gate 9',
    'kafka_partition: MySQL has 1, the gate 0',
  ]);
});
