import { expect, test } from 'vitest';
import type { Observe, ObservedMetrics } from '#platform/telemetry/observed-metrics.ts';
import { CouponOutcomes } from './coupon-outcomes.ts';

type Look = (observe: Observe) => void;

/** The outcomes, and what they tell whoever looks: by coupon, good and failed. */
function watched({ couponsMax = 10 } = {}) {
  let look: Look = () => undefined;
  const clock = { now: 0 };
  const observed = {
    counter: (_name: string, _description: string, given: Look) => void (look = given),
  } as unknown as ObservedMetrics;
  const outcomes = new CouponOutcomes({ observed }, couponsMax, () => clock.now);
  const told = (): Record<string, [good: number, failed: number]> => {
    const seen: Record<string, [number, number]> = {};
    look((value, labels) => {
      const { coupon_id: id, result } = labels as { coupon_id: string | number; result: string };
      (seen[id] ??= [0, 0])[result === 'good' ? 0 : 1] = value!;
    });
    return seen;
  };
  return { outcomes, told, clock };
}

test('a coupon has both of its series from its first answer on', () => {
  const { outcomes, told } = watched();
  outcomes.record(1, 'accepted');
  expect(told()).toEqual({ 1: [1, 0], other: [0, 0] });
});

test('true answers are good, and those that leave somebody without one are failed', () => {
  const { outcomes, told } = watched();
  (['accepted', 'sold_out', 'paused', 'closed', 'not_open'] as const).forEach((kind) =>
    outcomes.record(1, kind),
  );
  (['recovering', 'unconfirmed', 'unavailable', 'overloaded'] as const).forEach((kind) =>
    outcomes.record(1, kind),
  );
  expect(told()[1]).toEqual([5, 4]);
});

test('numbers that are no coupons take no places', () => {
  const { outcomes, told } = watched();
  outcomes.record(666, 'absent');
  outcomes.record(667, 'unavailable');
  expect(told()).toEqual({ other: [1, 1] });
});

test('coupons beyond the limit are summed', () => {
  const { outcomes, told } = watched({ couponsMax: 1 });
  outcomes.record(1, 'accepted');
  outcomes.record(2, 'accepted');
  outcomes.record(3, 'unconfirmed');
  expect(told()).toEqual({ 1: [1, 0], other: [1, 1] });
});

test('one that nobody asks for any more gives its place up', () => {
  const { outcomes, told, clock } = watched({ couponsMax: 1 });
  outcomes.record(1, 'accepted');
  told();
  clock.now = 600_001;
  expect(told()).toEqual({ other: [0, 0] });
  outcomes.record(2, 'accepted');
  expect(told()).toEqual({ 2: [1, 0], other: [0, 0] });
});
