import { expect, test } from 'vitest';
import { aCoupon } from '../../../test/harness/fixtures.ts';
import { byNeed, isOver, needOf } from './recovery-order.ts';

const now = 1_000_000;
const coupons = {
  rush: aCoupon({ id: 1 }),
  calm: aCoupon({ id: 2 }),
  brandNew: aCoupon({ id: 3, opensAt: now - 1 }),
  next: aCoupon({ id: 10, opensAt: now - 1 }),
  soon: aCoupon({ id: 4, opensAt: now + 1 }),
  later: aCoupon({ id: 5, opensAt: now + 2 }),
  paused: aCoupon({ id: 6, state: 'paused' }),
  newerPaused: aCoupon({ id: 11, state: 'paused' }),
  soldOut: aCoupon({ id: 7, total: 5, issued: 5 }),
  ended: aCoupon({ id: 8, closesAt: now }),
  closed: aCoupon({ id: 9, state: 'closed' }),
};
const demand = new Map([
  [coupons.rush.id, 9_000],
  [coupons.calm.id, 10],
  [coupons.next.id, 500],
  [coupons.closed.id, 500],
]);

test('what can be sold now comes first, by demand; then what opens soonest; what is over comes last', () => {
  const needs = Object.values(coupons).map((coupon) => needOf(coupon, now, demand));
  const nameOf = new Map(Object.entries(coupons).map(([name, { id }]) => [id, name]));
  const order = needs.toReversed().toSorted(byNeed);
  expect(needs.toSorted(byNeed)).toEqual(order);
  expect(order.map(({ couponId }) => nameOf.get(couponId))).toEqual([
    'rush',
    'next',
    'calm',
    'brandNew',
    'soon',
    'later',
    'newerPaused',
    'paused',
    'soldOut',
    'closed',
    'ended',
  ]);
  expect(order.filter(isOver).map(({ couponId }) => nameOf.get(couponId))).toEqual([
    'soldOut',
    'closed',
    'ended',
  ]);
});
