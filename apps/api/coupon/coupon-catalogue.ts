import type { Coupon } from '#coupon/coupon.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import { Gate } from '#gate/gate.ts';
import type { Problem } from '../http/problem.ts';
import { recovering, unknownCoupon } from './coupon-problems.ts';

/**
 * The coupons in memory, read again in the background, so that MySQL being away costs nobody an
 * answer: the last list stays in use. May be behind MySQL by one refresh; the gate, not this list,
 * decides who is admitted.
 */
export class CouponCatalogue {
  private coupons: ReadonlyMap<number, Coupon> | undefined;

  constructor(
    private readonly ledger: CouponLedger,
    private readonly gate: Gate,
  ) {}

  async refresh(): Promise<void> {
    const coupons = await this.ledger.list();
    coupons.forEach(({ id, epoch }) => this.gate.learnEpoch(id, epoch));
    this.coupons = new Map(coupons.map((coupon) => [coupon.id, coupon]));
  }

  find(couponId: number): Coupon | undefined {
    return this.coupons?.get(couponId);
  }

  /** Why a coupon has no gate: there is no such coupon, or the gate was lost and will be back. */
  explainAbsence(couponId: number): Problem {
    const isKnownToBeAbsent = this.coupons !== undefined && !this.coupons.has(couponId);
    return isKnownToBeAbsent ? unknownCoupon(couponId) : recovering();
  }

  /** Why nothing can be found in it, in words; `undefined` once it was read. */
  problem(): string | undefined {
    return this.coupons === undefined ? 'the coupons have not been read from MySQL yet' : undefined;
  }
}
