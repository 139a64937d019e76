import { Injectable } from '@nestjs/common';
import { AssignLimits } from '#admission/assign-coupon.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { recovering } from './coupon-problems.ts';
import { CouponCatalogue } from './coupon-catalogue.ts';
import { LedgerLane } from './ledger-lane.ts';

/** Any coupon: one that runs from memory, one that is archived or was just created from MySQL. */
@Injectable()
export class CouponLookup {
  private readonly lane: LedgerLane<number, Coupon | undefined>;

  constructor(
    private readonly catalogue: CouponCatalogue,
    ledger: CouponLedger,
    { waitMaxMs }: AssignLimits,
  ) {
    this.lane = new LedgerLane(async (ids) => {
      const found = new Map((await ledger.findAll(ids)).map((coupon) => [coupon.id, coupon]));
      return ids.map((id) => found.get(id));
    }, waitMaxMs);
  }

  /**
   * `undefined` when there is no such coupon. Throws RECOVERING while the catalogue was never read, and
   * for one that is not in it OVERLOADED or UNAVAILABLE.
   */
  async find(couponId: number): Promise<Coupon | undefined> {
    if (!this.catalogue.isLoaded) {
      throw recovering({ cause: 'catalogue_unread' });
    }
    return this.catalogue.find(couponId) ?? this.lane.ask(couponId);
  }
}
