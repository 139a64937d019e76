import { decide } from '#coupon/decide.js';
import type { Decision } from '#coupon/decide.js';
import type { GateData, RequestRecord, World } from './world.js';

/*
 * The atomic steps: each function is one Lua script of `libs/reservation/scripts`, one transaction of
 * `libs/ledger`, or one append to the log. Nothing happens inside of one.
 */

const couponId = 1;

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
  return meta !== null && (meta.left ?? 0) + Object.keys(holders).length === (meta.total ?? 0);
}

/** What inspect.lua calls open. */
export function isOpen(world: World): boolean {
  return !isFenced(world) && addsUp(world);
}

export type Reserved =
  | { code: 'fenced' | 'sold_out' }
  | { code: 'reserved' | 'replayed' | 'pending'; id: string; epoch: number };

/** reserve.lua */
export function reserve(world: World, user: string): Reserved {
  const { redis } = world;
  if (redis.meta === null || isFenced(world)) {
    return { code: 'fenced' };
  }
  const meta = redis.meta;
  if (!addsUp(world)) {
    delete meta.runId;
    return { code: 'fenced' };
  }
  const epoch = meta.epoch!;
  const held = redis.holders[user];
  if (held !== undefined) {
    return { code: held in redis.pending ? 'pending' : 'replayed', id: held, epoch };
  }
  if (meta.left! <= 0) {
    return { code: 'sold_out' };
  }
  const id = `i${world.next.id++}`;
  redis.holders[user] = id;
  redis.pending[id] = user;
  meta.left!--;
  return { code: 'reserved', id, epoch };
}

/** confirm.lua */
export function confirm(world: World, epoch: number, ids: readonly string[]): boolean {
  const { redis } = world;
  if (isFenced(world) || redis.meta?.epoch !== epoch) {
    return false;
  }
  for (const id of ids) {
    delete redis.pending[id];
  }
  return true;
}

/** release.lua */
export function release(world: World, refused: readonly RequestRecord[]): void {
  const { redis } = world;
  for (const { id, user, epoch } of refused) {
    if (redis.meta?.epoch === epoch && redis.holders[user] === id) {
      delete redis.holders[user];
      delete redis.pending[id];
      redis.meta.left = (redis.meta.left ?? 0) + 1;
    }
  }
}

/** list_pending.lua, without the least age: an early relay is the harder case. */
export function listPending(world: World): RequestRecord[] {
  const { redis } = world;
  if (isFenced(world)) {
    return [];
  }
  const epoch = redis.meta!.epoch!;
  return Object.entries(redis.pending).map(([id, user]) => ({ kind: 'request', id, user, epoch }));
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
  redis.staging = {};
  return redis.runId;
}

/** stage.lua */
export function stage({ redis }: World, token: number, slice: Record<string, string>): boolean {
  if (redis.meta?.token !== token) {
    return false;
  }
  Object.assign(redis.staging, slice);
  return true;
}

/** open.lua */
export function open(
  world: World,
  claimed: { token: number; runId: number; epoch: number },
): boolean {
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
  redis.pending = {};
  redis.holders = redis.staging;
  redis.staging = {};
  const { total } = world.mysql;
  const left = total - Object.keys(redis.holders).length;
  redis.meta = { epoch, minEpoch: epoch, runId: redis.runId, total, left };
  return true;
}

/** raiseEpoch of coupon-ledger.ts */
export function raiseEpoch({ mysql }: World, epoch: number): boolean {
  if (mysql.epoch >= epoch) {
    return false;
  }
  mysql.epoch = epoch;
  return true;
}

/** A slice of `holders` of issuance-ledger.ts: the issuances of the users after `after`. */
export function readHolders({ mysql }: World, after: string, size: number): [string, string][] {
  return mysql.issued
    .filter(({ user }) => user > after)
    .map(({ user, id }): [string, string] => [user, id])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, size);
}

/** applyMarker of issuance-ledger.ts */
export function applyMarker({ mysql }: World, epoch: number): void {
  mysql.appliedEpoch = Math.max(mysql.appliedEpoch, epoch);
}

/** decideChunk of issuance-ledger.ts: the real `decide`, on a view of the modelled tables. */
export function decideChunk(world: World, requests: readonly RequestRecord[]): Decision[] {
  const { mysql, mutation } = world;
  const forgets = mutation === 'noDeduplication';
  const view = {
    coupons: new Map([
      [
        couponId,
        {
          total: mysql.total,
          issued: mysql.issued.length,
          appliedEpoch: mutation === 'noVoid' ? 0 : mysql.appliedEpoch,
        },
      ],
    ]),
    issued: new Map(
      (forgets ? [] : mysql.issued).map(({ id, user }) => [
        `${couponId} ${user}`,
        { issuanceId: id, decidedAt: 0 },
      ]),
    ),
    refused: new Map(
      Object.entries(forgets ? {} : mysql.refused).map(([id, reason]) => [
        id,
        { reason, decidedAt: 0 },
      ]),
    ),
    // Nobody but the gate makes ids here.
    recordedFor: new Map(),
  };
  const { decisions } = decide(requests.map(toEvent), view, 0);
  for (const { request, status, reason, isNew } of decisions) {
    if (isNew && status === 'ISSUED') {
      mysql.issued.push({ id: request.issuance_id, user: request.user_id });
    } else if (isNew) {
      mysql.refused[request.issuance_id] = reason!;
    }
  }
  return decisions;
}

function toEvent({ id, user, epoch }: RequestRecord) {
  return {
    v: 1 as const,
    type: 'issuance.requested' as const,
    issuance_id: id,
    coupon_id: couponId,
    user_id: user,
    epoch,
    reserved_at: 0,
  };
}

/** A copy of what Redis holds, as a snapshot or a replica has it. */
export function copyGate({ meta, holders, pending, staging }: GateData): GateData {
  return {
    meta: meta === null ? null : { ...meta },
    holders: { ...holders },
    pending: { ...pending },
    staging: { ...staging },
  };
}
