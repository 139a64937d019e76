import type { Coupon, Gate, GateWorld, Issuance } from './gate.ts';
import { leastEpoch } from './prelude.ts';

/* The scripts of `libs/gate/scripts` that only a recovery runs, one function each. */

/** fence.lua */
export function fence(world: GateWorld, coupon: number, epoch: number): number {
  const meta = (world.redis.gates[coupon]!.meta ??= {});
  const least = leastEpoch(meta);
  meta.minEpoch = Math.max(epoch, least);
  return meta.minEpoch;
}

/** claim.lua */
export function claim(
  { redis, mutation }: GateWorld,
  coupon: number,
  epoch: number,
  token: number,
): ServerHistory | null {
  const gate = redis.gates[coupon]!;
  const { epoch: openedIn = 0, minEpoch } = gate.meta ?? {};
  const isFencedForIt = minEpoch === epoch || mutation === 'recheckBeforeClaim';
  if (!isFencedForIt || (openedIn >= epoch && mutation !== 'openClaimed')) {
    return null;
  }
  gate.meta = { minEpoch: epoch, token, staged: 0 };
  if (mutation !== 'holdersKept') {
    gate.holders = [];
  }
  if (mutation !== 'oldPendingKept') {
    gate.pending = [];
    gate.pendingUsers = [];
  }
  return { runId: redis.runId, history: redis.history };
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
  if (meta === null || meta.token !== token || gate.holders.length !== meta.staged) {
    return false;
  }
  if (slice.length > 0) {
    const before = gate.holders.length;
    const others = gate.holders.filter(({ user }) => !slice.some((one) => one.user === user));
    gate.holders = [...others, ...slice];
    meta.staged += gate.holders.length - before;
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
  /** How many holders were staged since. */
  staged: number;
}

/** open.lua */
export function open(world: GateWorld, coupon: number, claimed: Claim, to: Coupon): boolean {
  const gate = world.redis.gates[coupon]!;
  if (!mayOpen(world, gate, claimed, to)) {
    return false;
  }
  const { epoch } = claimed;
  const left = to.total - gate.holders.length;
  const { runId, history } = world.redis;
  gate.meta = { epoch, minEpoch: epoch, runId, history, serial: 0, left, pending: 0, ...to };
  return true;
}

function mayOpen(
  { redis, mutation }: GateWorld,
  { meta, holders }: Gate,
  { token, runId, history, epoch, staged }: Claim,
  { version }: Coupon,
): boolean {
  const otherRun = mutation !== 'noRunIdAtOpen' && redis.runId !== runId;
  const otherHistory = mutation !== 'noHistoryAtOpen' && redis.history !== history;
  const otherClaim = mutation !== 'noTokenAtOpen' && meta?.token !== token;
  const minEpoch = meta?.minEpoch ?? (mutation === 'lostFenceAtOpen' ? epoch : undefined);
  const overtaken = mutation !== 'noMinEpochAtOpen' && minEpoch !== epoch;
  const isMiscounted = mutation !== 'stagedOfGateOnly' && staged !== holders.length;
  const isLacking =
    mutation !== 'noStagedCount' && (isMiscounted || meta?.staged !== holders.length);
  const isOutdated = mutation !== 'noVersionAtOpen' && (meta?.version ?? 0) > version;
  return (
    meta !== null &&
    !(otherRun || otherHistory || otherClaim || overtaken || isLacking || isOutdated)
  );
}
