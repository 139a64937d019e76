import type { EntityManager } from 'typeorm';
import type { Coupon } from '#coupon/coupon.ts';
import { CouponChangeRow } from '../entities.ts';
import { nowInMs } from '../ledger-view.ts';

export type ChangeAction = 'pause' | 'resume' | 'close' | 'set-total' | 'set-times' | 'rename';

/** Writes down a change in the transaction that makes it. */
export async function recordChange(
  manager: EntityManager,
  coupon: Coupon,
  action: 'create' | 'archive' | 'unarchive' | ChangeAction,
): Promise<void> {
  await manager.insert(CouponChangeRow, {
    couponId: coupon.id,
    version: coupon.version,
    action,
    total: coupon.total,
    state: coupon.state,
    name: coupon.name,
    opensAt: coupon.opensAt,
    closesAt: coupon.closesAt,
    validUntil: coupon.validUntil,
    changedAt: () => nowInMs,
  });
}
