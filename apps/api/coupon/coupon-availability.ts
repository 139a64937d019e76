import { Injectable } from '@nestjs/common';
import type { Coupon } from '#coupon/coupon.ts';
import { sellingState } from '#coupon/coupon.ts';
import { redisFailure } from '#gate/checks/redis-failure.ts';
import { Gate } from '#gate/gate.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import type { Failure } from '#platform/failures/failure.ts';
import { Failures } from '#platform/failures/failures.ts';
import { toIsoTime } from '#platform/text/iso-time.ts';
import { CouponLookup } from './coupon-lookup.ts';
import { unknownCoupon } from './coupon-problems.ts';
import type { CouponAnswer } from './coupon.http.ts';

/** What is left of a coupon: its description from MySQL, its count from the gate. */
@Injectable()
export class CouponAvailability {
  constructor(
    private readonly lookup: CouponLookup,
    private readonly gate: Gate,
    private readonly failures: Failures,
  ) {}

  /** Throws COUPON_NOT_FOUND, or RECOVERING while the catalogue was never loaded. */
  async read(couponId: number): Promise<CouponAnswer> {
    const coupon = await this.lookup.find(couponId);
    if (coupon === undefined) {
      throw unknownCoupon(couponId);
    }
    if (coupon.archivedAt !== null) {
      // Its gate is gone. Nothing is under way any more, so what MySQL has issued is all that is taken.
      return describe(coupon, 'CLOSED', coupon.total, coupon.total - coupon.issued);
    }
    const found = await this.inspect(couponId);
    if ('cause' in found) {
      this.failures.note('RECOVERING', found, () => ({ coupon_id: couponId }));
      return describe(coupon, 'RECOVERING', coupon.total, null);
    }
    return atGate(coupon, found);
  }

  private async inspect(couponId: number): Promise<GateInspection | Failure> {
    try {
      const inspection = await this.gate.inspect(couponId);
      return inspection.gate === 'open' ? inspection : { cause: 'gate_shut' };
    } catch (error) {
      return redisFailure(error);
    }
  }
}

function atGate(coupon: Coupon, { left, total, now }: GateInspection): CouponAnswer {
  return describe(coupon, sellingState(coupon, left, now), total, left);
}

function describe(
  coupon: Coupon,
  state: CouponAnswer['state'],
  total: number,
  left: number | null,
): CouponAnswer {
  return {
    coupon_id: coupon.id,
    name: coupon.name,
    state,
    total,
    left,
    opens_at: toIsoTime(coupon.opensAt),
    closes_at: toIsoTime(coupon.closesAt),
    valid_until: toIsoTime(coupon.validUntil),
  };
}
