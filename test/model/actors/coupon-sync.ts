import type { Choice } from '../choices.ts';
import { nothing, orCrash, script, step } from '../choices.ts';
import type { Coupon } from '../gate/gate.ts';
import { applyCoupon } from '../gate/coupon-scripts.ts';
import { inspect, isOpen } from '../gate/scripts.ts';
import { findCoupon } from '../ledger.ts';
import type { World } from '../world.ts';

/** The loop of a keeper that brings a gate up to date with MySQL. */
export interface CouponSync {
  kind: 'coupon-sync';
  name: string;
  coupon: number;
  at: 'idle' | 'inspect' | 'apply';
  found: Coupon | null;
}

export function newCouponSync(name: string, coupon = 0): CouponSync {
  return { kind: 'coupon-sync', name, coupon, at: 'idle', found: null };
}

/** `coupon-sync.ts`, which begins only while there is something to do. */
export function couponSyncChoices(world: World, sync: CouponSync): readonly Choice[] {
  const { name, coupon } = sync;
  if (sync.at === 'idle') {
    const read = (): void => {
      sync.found = findCoupon(world, coupon);
      sync.at = 'inspect';
    };
    const isDue = isOpen(world, coupon) && isBehind(world, coupon, world.mysql.coupons[coupon]!);
    const begins = isDue && world.mutation !== 'noCouponSync';
    return begins ? [step(name, 'read the coupon', read)] : nothing;
  }
  return orCrash(world, name, () => rest(sync), stepChoices(world, sync));
}

function stepChoices(world: World, sync: CouponSync): Choice[] {
  const { name, coupon } = sync;
  const found = sync.found!;
  const done = (): void => rest(sync);
  if (sync.at === 'inspect') {
    const heard = (isToBeApplied: boolean): void => {
      if (isToBeApplied) {
        sync.at = 'apply';
      } else {
        rest(sync);
      }
    };
    return script(
      world,
      name,
      'inspect the gate',
      () => isBehind(world, coupon, found),
      heard,
      done,
    );
  }
  const run = (): unknown => applyCoupon(world, coupon, found);
  return script(world, name, `apply version ${found.version}`, run, done, done);
}

function isBehind(world: World, coupon: number, found: Coupon): boolean {
  const { gate, version } = inspect(world, coupon);
  return gate === 'open' && version < found.version;
}

function rest(sync: CouponSync): void {
  Object.assign(sync, newCouponSync(sync.name, sync.coupon));
}
