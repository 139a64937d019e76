import type { Choice } from './choices.ts';
import { nothing, orCrash, script, step } from './choices.ts';
import { applyCoupon, isOpen } from './gate.ts';
import { findCoupon } from './ledger.ts';
import type { Coupon, World } from './world.ts';

/** The loop of a keeper that brings a gate up to date with MySQL. */
export interface CouponSync {
  kind: 'coupon-sync';
  name: string;
  at: 'idle' | 'inspect' | 'apply';
  coupon: Coupon | null;
}

export function newCouponSync(name: string): CouponSync {
  return { kind: 'coupon-sync', name, at: 'idle', coupon: null };
}

/** `coupon-sync.ts`, which begins only while there is something to do. */
export function couponSyncChoices(world: World, sync: CouponSync): readonly Choice[] {
  const { name } = sync;
  if (sync.at === 'idle') {
    const read = (): void => {
      sync.coupon = findCoupon(world);
      sync.at = 'inspect';
    };
    const begins = isBehind(world, world.mysql) && world.mutation !== 'noCouponSync';
    return begins ? [step(name, 'read the coupon', read)] : nothing;
  }
  return orCrash(world, name, () => rest(sync), stepChoices(world, sync));
}

function stepChoices(world: World, sync: CouponSync): Choice[] {
  const { name } = sync;
  const coupon = sync.coupon!;
  const done = (): void => rest(sync);
  if (sync.at === 'inspect') {
    const heard = (isToBeApplied: boolean): void => {
      if (isToBeApplied) {
        sync.at = 'apply';
      } else {
        rest(sync);
      }
    };
    return script(world, name, 'inspect the gate', () => isBehind(world, coupon), heard, done);
  }
  const run = (): unknown => applyCoupon(world, coupon);
  return script(world, name, `apply version ${coupon.version}`, run, done, done);
}

function isBehind(world: World, { version }: Coupon): boolean {
  return isOpen(world) && world.redis.meta!.version! < version;
}

function rest(sync: CouponSync): void {
  Object.assign(sync, newCouponSync(sync.name));
}
