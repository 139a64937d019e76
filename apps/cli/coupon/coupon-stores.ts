import { CouponAdministration } from '#administration/coupon-administration.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { Config } from '#platform/config/config.ts';
import type { Stores } from '#stores/stores.ts';
import type { SeenCoupon } from './coupon-view.ts';
import { withStores } from '../stores.ts';

/** What a command that changes a coupon works on. */
export type CouponStores = Stores<'gate' | 'ledger' | 'log'>;

export function withCouponStores<T>(
  work: (stores: CouponStores, config: Config) => Promise<T>,
): Promise<T> {
  return withStores(['gate', 'ledger', 'log'], work);
}

export function administrationOf({ coupons, gate }: CouponStores): CouponAdministration {
  return new CouponAdministration(coupons, gate);
}

export async function see({ gate }: Stores<'gate'>, coupon: Coupon): Promise<SeenCoupon> {
  return { coupon, gate: await gate.inspect(coupon.id) };
}
