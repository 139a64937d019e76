import { expect, test } from 'vitest';
import type { Coupon } from '#coupon/coupon.ts';
import { aCoupon } from '../../../test/harness/fixtures.ts';
import { gatesMost, RunningCoupons } from './running-coupons.ts';

const minute = 60_000;

/** Whether its gate is asked: when it is first seen at 0, and at that time with that watermark. */
function isAsked(given: Partial<Coupon>, now: number, watermark: number | undefined): boolean {
  const running = new RunningCoupons();
  const list = [aCoupon(given)];
  expect(running.among(list, { now: 0, watermark: undefined }).coupons).toHaveLength(1);
  return running.among(list, { now, watermark }).coupons.length === 1;
}

const idle: [string, Partial<Coupon>][] = [
  ['closed', { state: 'closed' }],
  ['paused', { state: 'paused' }],
  ['over by its time', { closesAt: 1 }],
  ['not open yet', { opensAt: 100 * minute }],
];

test.each(idle)(
  'one that is %s is asked until all that it may have admitted is decided',
  (_, given) => {
    expect(isAsked(given, 10 * minute, minute)).toBe(true);
    expect(isAsked(given, 10 * minute, undefined)).toBe(true);
    expect(isAsked(given, 10 * minute, minute + 2)).toBe(false);
  },
);

test('one that may admit is always asked, sold out or not', () => {
  expect(isAsked({}, 10 * minute, 10 * minute)).toBe(true);
  expect(isAsked({ opensAt: 5, closesAt: 100 * minute }, 10 * minute, 10 * minute)).toBe(true);
});

test('one that ended later than it was seen is asked for as long after that', () => {
  const given = { closesAt: 5 * minute };
  expect(isAsked(given, 10 * minute, 6 * minute)).toBe(true);
  expect(isAsked(given, 10 * minute, 6 * minute + 1)).toBe(false);
});

test('one that was changed is asked again, as long as if it were new', () => {
  const running = new RunningCoupons();
  const closed = aCoupon({ state: 'closed' });
  running.among([closed], { now: 0, watermark: undefined });
  const later = { now: 10 * minute, watermark: 10 * minute };
  expect(running.among([closed], later).coupons).toEqual([]);
  const changed = { ...closed, version: 2 };
  expect(running.among([changed], later).coupons).toEqual([changed]);
});

test('of more than are asked the last ones are, and it is not the whole', () => {
  const list = Array.from({ length: gatesMost + 1 }, (_, i) => aCoupon({ id: i + 1 }));
  const { coupons, isWhole } = new RunningCoupons().among(list, { now: 0, watermark: undefined });
  expect([coupons.length, coupons[0]!.id, isWhole]).toEqual([gatesMost, 2, false]);
  expect(new RunningCoupons().among(list.slice(1), { now: 0, watermark: undefined }).isWhole).toBe(
    true,
  );
});
