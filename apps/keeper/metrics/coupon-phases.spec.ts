import { expect, test } from 'vitest';
import { withOwnSeries } from './coupon-phases.ts';
import type { SurveyedCoupon } from '../gates/gate-survey.ts';

function row(id: number, opensAt: number | null): SurveyedCoupon {
  return { coupon: { id, opensAt }, gate: { now: 1_000 } } as SurveyedCoupon;
}

test('coupons that opened last have series of their own, then those that open next', () => {
  const rows = [row(1, null), row(2, 900), row(3, 5_000), row(4, 2_000), row(5, 950), row(6, 900)];
  const ids = (max: number) => {
    const { own, rest } = withOwnSeries(rows, max);
    return [own, rest].map((some) => some.map(({ coupon }) => coupon.id));
  };
  expect(ids(2)).toEqual([
    [5, 6],
    [2, 1, 4, 3],
  ]);
  expect(ids(5)[1]).toEqual([3]);
  expect(ids(6)).toEqual([[1, 2, 3, 4, 5, 6], []]);
});
