import { afterAll, beforeAll } from 'vitest';
import type { NewCoupon } from '#ledger/coupons/coupon-ledger.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { TestGate } from './test-gate.ts';
import { TestLedger } from './test-ledger.ts';
import { TestLog } from './test-log.ts';

export interface TestStores {
  ledger: TestLedger;
  here: TestGate;
  log: TestLog;
  /** A coupon with its gate open. */
  openCoupon: (given?: Partial<NewCoupon>) => Promise<Coupon>;
}

/** A ledger, a gate and a log that no other test file has, from before its first test to after its last. */
export function openTestStores(): TestStores {
  const [ledger, here, log] = [new TestLedger(), new TestGate(), new TestLog()];
  beforeAll(async () => {
    await Promise.all([ledger.start(), here.start(), log.start()]);
  });
  afterAll(async () => {
    await Promise.all([ledger.close(), here.close(), log.close()]);
  });
  const openCoupon = async (given: Partial<NewCoupon> = {}): Promise<Coupon> => {
    const coupon = await ledger.createCoupon(given);
    await here.rebuild(coupon, []);
    return coupon;
  };
  return { ledger, here, log, openCoupon };
}
