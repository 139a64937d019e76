import type { Coupon } from '#coupon/coupon.ts';
import type { CouponLedger } from './coupon-ledger.ts';

/**
 * The coupons that have a gate, for those who look every second: kept in memory, and read again only
 * when one of them has changed. Thousands that have ended cost a reader next to nothing.
 * TRAP: `issued` and `appliedEpoch` are as they were when the list was read.
 */
export class LiveCoupons {
  private coupons: readonly Coupon[] = [];
  private fingerprint: string | undefined;

  constructor(private readonly ledger: CouponLedger) {}

  /** As MySQL has them now, by id; the same array as before when nothing has changed. */
  async read(): Promise<readonly Coupon[]> {
    const fingerprint = await this.ledger.fingerprint();
    if (fingerprint !== this.fingerprint) {
      // Taken before the list: a change in between is read again, never missed.
      this.coupons = await this.ledger.list();
      this.fingerprint = fingerprint;
    }
    return this.coupons;
  }
}
