import type { Coupon, GateData, Issuance, RequestRecord, World } from './world.ts';

/*
 * The scripts of `libs/gate/scripts`, one function each. Nothing happens inside of one.
 */

/** `is_fenced` of prelude.lua, and no meta counts as fenced. */
export function isFenced({ redis, mutation }: World): boolean {
  const { meta, runId } = redis;
  if (meta?.epoch === undefined) {
    return true;
  }
  const otherRun = mutation !== 'noRunIdFence' && meta.runId !== runId;
  const overtaken = mutation !== 'noMinEpochFence' && meta.epoch < (meta.minEpoch ?? 0);
  return otherRun || overtaken;
}

/** `left` + holders = `total`. */
export function addsUp({ redis: { meta, holders } }: World): boolean {
  return meta !== null && (meta.left ?? 0) + holders.length === (meta.total ?? 0);
}

/** What inspect.lua calls open. */
export function isOpen(world: World): boolean {
  return !isFenced(world) && addsUp(world);
}

export type Reserved =
  | { code: 'fenced' | 'sold_out' | 'paused' | 'closed' }
  | { code: 'reserved' | 'replayed' | 'pending'; id: number; epoch: number };

/** reserve.lua */
export function reserve(world: World, user: string): Reserved {
  const { redis, mutation } = world;
  if (redis.meta === null || isFenced(world)) {
    return { code: 'fenced' };
  }
  const meta = redis.meta;
  if (!addsUp(world)) {
    delete meta.runId;
    return { code: 'fenced' };
  }
  const epoch = meta.epoch!;
  const held = redis.holders.find((holder) => holder.user === user)?.id;
  if (held !== undefined && !(mutation === 'stateBeforeHolder' && meta.state !== 'open')) {
    return { code: isPending(redis, held) ? 'pending' : 'replayed', id: held, epoch };
  }
  if (meta.state !== 'open') {
    return { code: meta.state! };
  }
  if (meta.left! <= 0) {
    return { code: 'sold_out' };
  }
  const id = world.next.id++;
  redis.holders.push({ id, user });
  redis.pending.push({ id, user });
  meta.left!--;
  return { code: 'reserved', id, epoch };
}

function isPending({ pending }: GateData, id: number): boolean {
  return pending.some((one) => one.id === id);
}

/** confirm.lua */
export function confirm(world: World, epoch: number, ids: readonly number[]): boolean {
  const { redis, mutation } = world;
  if (isFenced(world) || redis.meta?.epoch !== epoch) {
    return false;
  }
  if (mutation === 'stateAtConfirm' && redis.meta.state !== 'open') {
    return false;
  }
  redis.pending = redis.pending.filter(({ id }) => !ids.includes(id));
  return true;
}

/** release.lua */
export function release({ redis, mutation }: World, refused: readonly RequestRecord[]): void {
  const { meta } = redis;
  for (const { id, user, epoch, isOfUnknownCoupon } of refused) {
    const isHeld = redis.holders.some((holder) => holder.id === id && holder.user === user);
    const isOurs = isOfUnknownCoupon !== true && meta?.epoch === epoch;
    if (isOurs && (isHeld || mutation === 'releaseUnseen')) {
      redis.holders = redis.holders.filter((holder) => holder.user !== user);
      redis.pending = redis.pending.filter((one) => one.id !== id);
      meta.left = (meta.left ?? 0) + 1;
    }
  }
}

/** list_pending.lua, without the least age: an early relay is the harder case. */
export function listPending(world: World): RequestRecord[] {
  if (isFenced(world)) {
    return [];
  }
  const { meta, pending } = world.redis;
  const epoch = meta!.epoch!;
  return pending.map(({ id, user }) => ({ kind: 'request', id, user, epoch }));
}

export type Applied =
  { code: 'applied'; epoch: number } | { code: 'stale' | 'fenced' | 'below_holders' };

/** apply_coupon.lua */
export function applyCoupon(world: World, { version, total, state }: Coupon): Applied {
  const { redis, mutation } = world;
  const meta = redis.meta;
  if (meta?.epoch === undefined || (isFenced(world) && mutation !== 'noFenceAtApply')) {
    return { code: 'fenced' };
  }
  if (meta.version! >= version && mutation !== 'noVersionAtGate') {
    return { code: 'stale' };
  }
  const held = redis.holders.length;
  if (total < held && mutation !== 'noHoldersAtApply') {
    return { code: 'below_holders' };
  }
  Object.assign(meta, { version, total, left: total - held, state });
  return { code: 'applied', epoch: meta.epoch };
}

/** fence.lua */
export function fence({ redis }: World, epoch: number): number {
  redis.meta ??= {};
  redis.meta.minEpoch = Math.max(epoch, redis.meta.minEpoch ?? 0);
  return redis.meta.minEpoch;
}

/** claim.lua */
export function claim({ redis }: World, token: number): number {
  redis.meta ??= {};
  redis.meta.token = token;
  redis.staging = [];
  return redis.runId;
}

/** stage.lua */
export function stage({ redis }: World, token: number, slice: readonly Issuance[]): boolean {
  if (redis.meta?.token !== token) {
    return false;
  }
  redis.staging.push(...slice);
  return true;
}

export interface Claim {
  token: number;
  runId: number;
  epoch: number;
}

/** open.lua */
export function open(world: World, claimed: Claim, coupon: Coupon): boolean {
  const { redis, mutation } = world;
  const { token, runId, epoch } = claimed;
  const meta = redis.meta;
  const otherRun = mutation !== 'noRunIdAtOpen' && redis.runId !== runId;
  const otherClaim = mutation !== 'noTokenAtOpen' && meta?.token !== token;
  if (otherRun || otherClaim) {
    return false;
  }
  if (mutation !== 'noMinEpochAtOpen' && (meta?.minEpoch ?? 0) > epoch) {
    return false;
  }
  if (meta?.runId === redis.runId && (meta.epoch ?? 0) >= epoch) {
    return false;
  }
  redis.pending = [];
  redis.holders = redis.staging;
  redis.staging = [];
  const left = coupon.total - redis.holders.length;
  redis.meta = { epoch, minEpoch: epoch, runId: redis.runId, left, ...coupon };
  return true;
}
