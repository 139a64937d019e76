import type { Coupon, Gate, GateWorld, Issuance, Meta } from './gate.ts';
import { answerOf, hasAll, isFenced, numberIn, withoutIds } from './prelude.ts';

/*
 * The scripts of `libs/gate/scripts`, one function each. Nothing happens inside of one. The protocol
 * model steps through them, and `test/harness/gate-commands.ts` runs them beside the real ones.
 */

export type Outcome =
  | { code: 'reserved' | 'replayed' | 'pending'; id: number }
  | { code: 'sold_out' | 'paused' | 'closed' };

export type Reserved =
  { gate: 'absent' | 'fenced' } | { gate: 'open'; epoch: number; outcomes: Outcome[] };

/** reserve.lua */
export function reserve(world: GateWorld, coupon: number, users: readonly string[]): Reserved {
  const gate = world.redis.gates[coupon]!;
  const { meta } = gate;
  if (meta === null) {
    return { gate: 'absent' };
  }
  if (isFenced(world, meta)) {
    return { gate: 'fenced' };
  }
  if (!hasAll(world, gate) && world.mutation !== 'noCountsAtReserve') {
    delete meta.runId;
    return { gate: 'fenced' };
  }
  const outcomes = users.map((user) => reserveOne(world, gate, meta, user));
  return { gate: 'open', epoch: meta.epoch!, outcomes };
}

function reserveOne({ mutation, next }: GateWorld, gate: Gate, meta: Meta, user: string): Outcome {
  const { holders, pending, pendingUsers } = gate;
  const { state = 'open' } = meta;
  const held = holders.find((holder) => holder.user === user)?.id;
  if (held !== undefined && !(mutation === 'stateBeforeHolder' && state !== 'open')) {
    return { code: pending.includes(held) ? 'pending' : 'replayed', id: held };
  }
  if (state !== 'open') {
    return { code: state };
  }
  if (meta.left! <= 0) {
    return { code: 'sold_out' };
  }
  const id = next.id++;
  holders.push({ id, user });
  pending.push(id);
  pendingUsers.push({ id, user });
  meta.left!--;
  meta.pending!++;
  return { code: 'reserved', id };
}

/** confirm.lua */
export function confirm(
  world: GateWorld,
  coupon: number,
  epoch: number,
  ids: readonly number[],
): boolean {
  const { mutation } = world;
  const gate = world.redis.gates[coupon]!;
  const { meta } = gate;
  if (meta?.epoch === undefined || (isFenced(world, meta) && mutation !== 'noFenceAtConfirm')) {
    return false;
  }
  if (meta.epoch !== epoch && mutation !== 'noEpochAtConfirm') {
    return false;
  }
  if (mutation === 'stateAtConfirm' && meta.state !== 'open') {
    return false;
  }
  if (ids.length > 0) {
    settle(gate, meta, ids);
  }
  return true;
}

/** They are not pending any more, whether confirmed or released. */
function settle(gate: Gate, meta: Meta, ids: readonly number[]): void {
  const waiting = gate.pending.filter((id) => !ids.includes(id));
  meta.pending = (meta.pending ?? 0) - (gate.pending.length - waiting.length);
  gate.pending = waiting;
  gate.pendingUsers = withoutIds(gate.pendingUsers, ids);
}

/** release.lua */
export function release(
  { redis, mutation }: GateWorld,
  coupon: number,
  epoch: number,
  refused: readonly Issuance[],
): number {
  const gate = redis.gates[coupon]!;
  const { meta } = gate;
  if (meta === null || meta.epoch !== epoch) {
    return 0;
  }
  let released = 0;
  for (const { id, user } of refused) {
    const isHeld = gate.holders.some((holder) => holder.user === user && holder.id === id);
    if (isHeld || mutation === 'releaseUnseen') {
      gate.holders = gate.holders.filter((holder) => holder.user !== user);
      settle(gate, meta, [id]);
      released++;
    }
  }
  if (released > 0) {
    meta.left = (meta.left ?? 0) + released;
  }
  return released;
}

/** A user that is `null` got lost: what is published of it cannot be read. */
export interface Listed {
  epoch: number;
  pending: { id: number; user: string | null }[];
}

/** list_pending.lua, without the least age: an early relay is the harder case. */
export function listPending(world: GateWorld, coupon: number): Listed | null {
  const gate = world.redis.gates[coupon]!;
  const { meta, pending, pendingUsers } = gate;
  if (meta?.epoch === undefined || (isFenced(world, meta) && world.mutation !== 'noFenceAtList')) {
    return null;
  }
  if (world.mutation !== 'noCountsAtList' && !hasAll(world, gate)) {
    return null;
  }
  const userOf = (id: number): string | null =>
    pendingUsers.find((one) => one.id === id)?.user ?? null;
  return { epoch: meta.epoch, pending: pending.map((id) => ({ id, user: userOf(id) })) };
}

export interface Inspection {
  gate: 'open' | 'fenced' | 'absent';
  left: number;
  holders: number;
  total: number;
  version: number;
  epoch: number;
  minEpoch: number;
  pending: number;
  /** Its id, which is its time; 0 where nothing is pending. */
  oldestPending: number;
}

/** inspect.lua */
export function inspect(world: GateWorld, coupon: number): Inspection {
  const gate = world.redis.gates[coupon]!;
  const { left = 0, total = 0, version = 0, epoch = 0, minEpoch = 0 } = gate.meta ?? {};
  return {
    gate: stateOf(world, gate),
    left,
    holders: gate.holders.length,
    total,
    version,
    epoch,
    minEpoch,
    pending: gate.pending.length,
    oldestPending: gate.pending.length === 0 ? 0 : Math.min(...gate.pending),
  };
}

/** What inspect.lua calls a gate. */
export function stateOf(world: GateWorld, gate: Gate): Inspection['gate'] {
  const { meta } = gate;
  if (meta === null) {
    return 'absent';
  }
  return meta.epoch === undefined || isFenced(world, meta) || !hasAll(world, gate)
    ? 'fenced'
    : 'open';
}

export function isOpen(world: GateWorld, coupon: number): boolean {
  return answerOf(() => stateOf(world, world.redis.gates[coupon]!)) === 'open';
}

/** One that inspect.lua breaks off at is neither open nor shut. */
export function isShut(world: GateWorld, coupon: number): boolean {
  const state = answerOf(() => stateOf(world, world.redis.gates[coupon]!));
  return state === 'fenced' || state === 'absent';
}

export type Applied =
  | { code: 'applied'; epoch: number }
  | { code: 'stale' | 'fenced' }
  | { code: 'below_holders'; holders: number };

/** apply_coupon.lua */
export function applyCoupon(
  world: GateWorld,
  coupon: number,
  { version, total, state }: Coupon,
): Applied {
  const { redis, mutation } = world;
  const { meta, holders } = redis.gates[coupon]!;
  if (meta?.epoch === undefined || (isFenced(world, meta) && mutation !== 'noFenceAtApply')) {
    return { code: 'fenced' };
  }
  if (numberIn(meta, 'version') >= version && mutation !== 'noVersionAtGate') {
    return { code: 'stale' };
  }
  if (total < holders.length && mutation !== 'noHoldersAtApply') {
    return { code: 'below_holders', holders: holders.length };
  }
  Object.assign(meta, { version, total, left: total - holders.length, state });
  return { code: 'applied', epoch: meta.epoch };
}
