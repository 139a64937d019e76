import type { Coupon, GateWorld, Issuance } from './gate.ts';
import { leastEpoch } from './prelude.ts';

/* The scripts of `libs/gate/scripts` that only a recovery runs, one function each. */

/** fence.lua */
export function fence(world: GateWorld, coupon: number, epoch: number): number {
  const meta = (world.redis.gates[coupon]!.meta ??= {});
  const least = leastEpoch(world, meta);
  meta.minEpoch = world.mutation === 'fenceGoesBack' ? epoch : Math.max(epoch, least);
  return meta.minEpoch;
}

/** claim.lua */
export function claim(world: GateWorld, coupon: number, token: number): ServerHistory {
  const { runId, history, gates } = world.redis;
  const gate = gates[coupon]!;
  gate.meta ??= {};
  gate.meta.minEpoch = leastEpoch(world, gate.meta);
  gate.meta.token = token;
  gate.meta.staged = 0;
  if (world.mutation !== 'stagingKept') {
    gate.staging = [];
  }
  return { runId, history };
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
  if (meta === null || meta.token !== token || gate.staging.length !== meta.staged) {
    return false;
  }
  if (slice.length > 0) {
    const before = gate.staging.length;
    const others = gate.staging.filter(({ user }) => !slice.some((one) => one.user === user));
    gate.staging = [...others, ...slice];
    meta.staged += gate.staging.length - before;
  }
  return true;
}

/** What tells one Redis from what it was before, or from another. */
export interface ServerHistory {
  runId: number;
  history: number;
}

export interface Claim extends ServerHistory {
  token: number;
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
  const { runId, history } = world.redis;
  gate.meta = { epoch, minEpoch: epoch, runId, history, serial: 0, left, pending, ...to };
  return true;
}

function mayOpen({ redis, mutation }: GateWorld, coupon: number, claimed: Claim): boolean {
  const { meta, staging } = redis.gates[coupon]!;
  const { token, runId, history, epoch } = claimed;
  const otherRun = mutation !== 'noRunIdAtOpen' && redis.runId !== runId;
  const otherHistory = mutation !== 'noHistoryAtOpen' && redis.history !== history;
  const otherClaim = mutation !== 'noTokenAtOpen' && meta?.token !== token;
  const { minEpoch = mutation === 'lostFenceAtOpen' ? 0 : Infinity } = meta ?? {};
  const overtaken = mutation !== 'noMinEpochAtOpen' && minEpoch > epoch;
  if (otherRun || otherHistory || otherClaim || overtaken) {
    return false;
  }
  const isOpenedHere = meta?.runId === redis.runId && meta.history === redis.history;
  const epochOfOpen = meta?.epoch ?? (mutation === 'epochNeededAtOpen' ? Infinity : 0);
  if (isOpenedHere && epochOfOpen >= epoch) {
    return false;
  }
  return staging.length === meta?.staged || mutation === 'noStagedCount';
}
