import type { Coupon, GateWorld } from './gate.ts';
import { absentGate } from './gate.ts';
import { openGate, shut } from './prelude.ts';

export type Applied =
  | { code: 'applied'; epoch: number; serial: number }
  | { code: 'stale' | 'fenced' }
  | { code: 'below_holders'; holders: number };

/** apply_coupon.lua */
export function applyCoupon(
  world: GateWorld,
  coupon: number,
  { version, total, state }: Coupon,
): Applied {
  const { mutation } = world;
  const meta = openGate(world, coupon, {
    fence: mutation === 'noFenceAtApply',
    counts: mutation === 'noCountsAtApply',
  });
  if (meta === null) {
    shut(world, coupon);
    const claimed = world.redis.gates[coupon]!.meta;
    const isNewer = claimed?.token !== undefined && (claimed.version ?? 0) < version;
    if (isNewer && mutation !== 'noVersionLeft') {
      claimed.version = version;
    }
    return { code: 'fenced' };
  }
  if (meta.version >= version && mutation !== 'noVersionAtGate') {
    return { code: 'stale' };
  }
  const holders = world.redis.gates[coupon]!.holders.length;
  if (total < holders && mutation !== 'noHoldersAtApply') {
    return { code: 'below_holders', holders };
  }
  meta.serial++;
  Object.assign(meta, { version, total, left: total - holders, state });
  return { code: 'applied', epoch: meta.epoch, serial: meta.serial };
}

/** archive.lua, without the times of a coupon. */
export function archive(world: GateWorld, coupon: number, epoch: number): boolean {
  const gate = world.redis.gates[coupon]!;
  const { meta } = gate;
  if (Math.max(meta?.epoch ?? 0, meta?.minEpoch ?? 0) > epoch) {
    return false;
  }
  const open = openGate(world, coupon);
  if (open !== null && (open.state !== 'closed' || open.pending > 0)) {
    return false;
  }
  Object.assign(gate, absentGate());
  return true;
}
