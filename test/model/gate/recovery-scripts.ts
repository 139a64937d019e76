import type { Coupon, GateWorld, Issuance } from './gate.ts';
import { numberIn } from './prelude.ts';

/* The scripts of `libs/gate/scripts` that only a recovery runs, one function each. */

/** fence.lua */
export function fence({ redis, mutation }: GateWorld, coupon: number, epoch: number): number {
  const meta = (redis.gates[coupon]!.meta ??= {});
  meta.minEpoch = mutation === 'fenceGoesBack' ? epoch : Math.max(epoch, meta.minEpoch ?? 0);
  return meta.minEpoch;
}

/** claim.lua */
export function claim({ redis, mutation }: GateWorld, coupon: number, token: number): number {
  const gate = redis.gates[coupon]!;
  gate.meta ??= {};
  gate.meta.token = token;
  gate.meta.staged = 0;
  if (mutation !== 'stagingKept') {
    gate.staging = [];
  }
  return redis.runId;
}

/** stage.lua */
export function stage(
  { redis }: GateWorld,
  coupon: number,
  token: number,
  slice: readonly Issuance[],
): boolean {
  const gate = redis.gates[coupon]!;
  const { meta } = gate;
  if (meta === null || meta.token !== token) {
    return false;
  }
  if (slice.length > 0) {
    const before = gate.staging.length;
    const others = gate.staging.filter(({ user }) => !slice.some((one) => one.user === user));
    gate.staging = [...others, ...slice];
    meta.staged = (meta.staged ?? 0) + gate.staging.length - before;
  }
  return true;
}

export interface Claim {
  token: number;
  runId: number;
  epoch: number;
}

/** open.lua */
export function open(world: GateWorld, coupon: number, claimed: Claim, to: Coupon): boolean {
  const gate = world.redis.gates[coupon]!;
  if (!mayOpen(world, coupon, claimed)) {
    return false;
  }
  const { epoch } = claimed;
  const holders = gate.staging;
  const left = to.total - holders.length;
  gate.holders = holders;
  gate.staging = [];
  if (world.mutation !== 'oldPendingKept') {
    gate.pending = [];
    gate.pendingUsers = [];
  }
  const pending = gate.pending.length;
  gate.meta = { epoch, minEpoch: epoch, runId: world.redis.runId, left, pending, ...to };
  return true;
}

function mayOpen({ redis, mutation }: GateWorld, coupon: number, claimed: Claim): boolean {
  const { meta, staging } = redis.gates[coupon]!;
  const { token, runId, epoch } = claimed;
  const otherRun = mutation !== 'noRunIdAtOpen' && redis.runId !== runId;
  const otherClaim = mutation !== 'noTokenAtOpen' && meta?.token !== token;
  const overtaken = mutation !== 'noMinEpochAtOpen' && (meta?.minEpoch ?? 0) > epoch;
  if (otherRun || otherClaim || overtaken) {
    return false;
  }
  const isThisRun = meta?.runId === redis.runId;
  if (isThisRun && numberIn(meta, 'epoch') >= epoch) {
    return false;
  }
  return staging.length === meta?.staged || mutation === 'noStagedCount';
}
