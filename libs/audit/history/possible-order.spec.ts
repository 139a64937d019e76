import { describe, expect, test } from 'vitest';
import { isAnyOrderRight } from '../../../test/history/all-orders.ts';
import { aBrokenHistory, aRightHistory } from '../../../test/history/random-histories.ts';
import { randomOf } from '../../../test/model/search/random.ts';
import type { CouponHistory } from './coupon-history.ts';
import { findImpossible } from './possible-order.ts';
import { findWrongIds } from './told-ids.ts';

function isPossible(history: CouponHistory): boolean {
  return findWrongIds([history]).length === 0 && findImpossible(history).length === 0;
}

describe('agrees with a search through all orders', () => {
  test('on 1 500 histories of a coupon that works: every one is possible', () => {
    const random = randomOf(1);
    for (let i = 0; i < 1_500; i += 1) {
      const history = aRightHistory(random);
      expect(isAnyOrderRight(history), JSON.stringify(history)).toBe(true);
      expect(findImpossible(history), JSON.stringify(history)).toEqual([]);
      expect(findWrongIds([history])).toEqual([]);
    }
  });

  test('on 1 500 broken ones, of which many are impossible and some are not', () => {
    const random = randomOf(2);
    let possible = 0;
    for (let i = 0; i < 1_500; i += 1) {
      const history = aBrokenHistory(random);
      const expected = isAnyOrderRight(history);
      possible += Number(expected);
      expect(isPossible(history), JSON.stringify(history)).toBe(expected);
    }
    expect(possible).toBeGreaterThan(150);
    expect(possible).toBeLessThan(1_350);
  });
});
