import { Injectable } from '@nestjs/common';
import { GroupCommit, NotSentError } from '#admission/group-commit.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import { unavailable } from '../http/framework-problems.ts';

/** Ids in one query. */
const idsMax = 500;
const waitMaxMs = 1_000;

/**
 * Coupons that the catalogue does not have: one created just now, or none. Whoever asks for ids that do
 * not exist costs MySQL one query at a time, however many ask.
 */
@Injectable()
export class CouponLookup {
  private readonly queries = new GroupCommit<'all', number, Coupon | undefined>(
    async (_, ids) => {
      const coupons = await this.ledger.findAll(ids);
      const byId = new Map(coupons.map((coupon) => [coupon.id, coupon]));
      return ids.map((id) => byId.get(id));
    },
    { batchSizeMax: idsMax, inFlightMax: 1, waitMaxMs },
  );

  constructor(private readonly ledger: CouponLedger) {}

  /** `undefined` when there is no such coupon. Rejects when MySQL is away or does not answer in time. */
  async find(couponId: number): Promise<Coupon | undefined> {
    try {
      return await this.queries.add('all', couponId);
    } catch (error) {
      throw error instanceof NotSentError ? unavailable() : error;
    }
  }
}
