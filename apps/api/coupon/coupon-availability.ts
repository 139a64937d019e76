import { Injectable } from '@nestjs/common';
import type { Coupon } from '#coupon/coupon.ts';
import { sellingState } from '#coupon/coupon.ts';
import { Gate } from '#gate/gate.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import { toIsoTime } from '#platform/iso-time.ts';
import { CouponCatalogue } from './coupon-catalogue.ts';
import { CouponLookup } from './coupon-lookup.ts';
import type { CouponAnswer } from './coupon.http.ts';

/** What is left of a coupon: its description from the catalogue, its count from the gate. */
@Injectable()
export class CouponAvailability {
  constructor(
    private readonly catalogue: CouponCatalogue,
    private readonly lookup: CouponLookup,
    private readonly gate: Gate,
  ) {}

  /**
   * Throws COUPON_NOT_FOUND, RECOVERING while the catalogue was never loaded, or UNAVAILABLE for a
   * coupon that it does not have while MySQL is away.
   */
  async read(couponId: number): Promise<CouponAnswer> {
    const coupon = this.catalogue.find(couponId) ?? (await this.findNew(couponId));
    const inspection = await this.gate.inspect(couponId).catch(() => undefined);
    return toCouponAnswer(coupon, inspection?.gate === 'open' ? inspection : undefined);
  }

  /** One created since the list was read last. */
  private async findNew(couponId: number): Promise<Coupon> {
    const coupon =
      this.catalogue.problem() === undefined ? await this.lookup.find(couponId) : undefined;
    if (coupon === undefined) {
      throw this.catalogue.explainAbsence(couponId);
    }
    return coupon;
  }
}

function toCouponAnswer(coupon: Coupon, gate: GateInspection | undefined): CouponAnswer {
  return {
    coupon_id: coupon.id,
    name: coupon.name,
    state: gate === undefined ? 'RECOVERING' : sellingState(coupon, gate.left, gate.now),
    total: gate?.total ?? coupon.total,
    left: gate?.left ?? null,
    opens_at: toIsoTime(coupon.opensAt),
    closes_at: toIsoTime(coupon.closesAt),
  };
}
