import type { Gate, GateState, GateWorld, Issuance, Meta } from './gate.ts';
import type { WholeMeta } from './prelude.ts';
import { openGate, readMeta, shut, withoutIds } from './prelude.ts';

/*
 * The scripts of `libs/gate/scripts`, one function each, here and in the files beside. Nothing happens
 * inside of one. The protocol model steps through them, and `test/harness/gate-model/gate-steps.ts` runs
 * them beside the real ones.
 */

export type Outcome =
  | { code: 'reserved' | 'replayed' | 'pending'; id: number }
  | { code: 'sold_out' | 'paused' | 'closed' };

export type Reserved =
  | { gate: 'absent' | 'fenced' }
  | { gate: 'open'; epoch: number; serial: number; outcomes: Outcome[] };

/** reserve.lua */
export function reserve(world: GateWorld, coupon: number, users: readonly string[]): Reserved {
  const meta = openGate(world, coupon, { counts: world.mutation === 'noCountsAtReserve' });
  if (meta === null) {
    return { gate: shut(world, coupon) };
  }
  const gate = world.redis.gates[coupon]!;
  const before = gate.holders.length;
  const outcomes = users.map((user) => reserveOne(world, gate, meta, user));
  if (gate.holders.length > before) {
    meta.serial++;
  }
  return { gate: 'open', epoch: meta.epoch, serial: meta.serial, outcomes };
}

function reserveOne(
  { mutation, next }: GateWorld,
  gate: Gate,
  meta: WholeMeta,
  user: string,
): Outcome {
  const { holders, pending, pendingUsers } = gate;
  // It may be missing where a mutation forgives that.
  const { state = 'open' } = meta as Meta;
  const held = holders.find((holder) => holder.user === user)?.id;
  if (held !== undefined && !(mutation === 'stateBeforeHolder' && state !== 'open')) {
    return { code: pending.includes(held) ? 'pending' : 'replayed', id: held };
  }
  if (state !== 'open') {
    return { code: state };
  }
  if (meta.left <= 0) {
    return { code: 'sold_out' };
  }
  const id = next.id++;
  holders.push({ id, user });
  pending.push(id);
  pendingUsers.push({ id, user });
  meta.left--;
  meta.pending++;
  return { code: 'reserved', id };
}

export interface Confirmed extends GateState {
  isConfirmed: boolean;
}

/** confirm.lua */
export function confirm(
  world: GateWorld,
  coupon: number,
  epoch: number,
  reserved: readonly Issuance[],
): Confirmed {
  const { mutation } = world;
  const meta = openGate(world, coupon, {
    fence: mutation === 'noFenceAtConfirm',
    counts: mutation === 'lostPendingUnseen',
  });
  if (meta === null) {
    shut(world, coupon);
    return { isConfirmed: false, epoch: 0, serial: 0 };
  }
  if (meta.epoch !== epoch) {
    return { isConfirmed: false, epoch: meta.epoch, serial: meta.serial };
  }
  if (mutation === 'stateAtConfirm' && meta.state !== 'open') {
    return { isConfirmed: false, epoch: meta.epoch, serial: meta.serial };
  }
  const gate = world.redis.gates[coupon]!;
  const isPending = ({ id }: Issuance): boolean => gate.pending.includes(id);
  const confirmed = reserved.filter(isPending);
  if (confirmed.length > 0) {
    settle(gate, meta, idsOf(confirmed));
    meta.serial++;
  }
  const isKnown = (one: Issuance): boolean => confirmed.includes(one) || isHeld(gate, one);
  const isConfirmed = reserved.every(isKnown) || mutation === 'lostPendingUnseen';
  return { isConfirmed, epoch: meta.epoch, serial: meta.serial };
}

/** They are not pending any more, whether confirmed or released. */
function settle(gate: Gate, meta: WholeMeta, ids: readonly number[]): void {
  const waiting = gate.pending.filter((id) => !ids.includes(id));
  meta.pending -= gate.pending.length - waiting.length;
  gate.pending = waiting;
  gate.pendingUsers = withoutIds(gate.pendingUsers, ids);
}

function isHeld({ holders }: Gate, { id, user }: Issuance): boolean {
  return holders.some((holder) => holder.user === user && holder.id === id);
}

function idsOf(issuances: readonly Issuance[]): number[] {
  return issuances.map(({ id }) => id);
}

/** release.lua */
export function release(
  world: GateWorld,
  coupon: number,
  epoch: number,
  refused: readonly Issuance[],
): number {
  const meta = openGate(world, coupon);
  if (meta === null) {
    shut(world, coupon);
    return 0;
  }
  if (meta.epoch !== epoch) {
    return 0;
  }
  const gate = world.redis.gates[coupon]!;
  let released = 0;
  for (const one of refused) {
    if (isHeld(gate, one) || world.mutation === 'releaseUnseen') {
      gate.holders = gate.holders.filter(({ user }) => user !== one.user);
      settle(gate, meta, [one.id]);
      released++;
    }
  }
  if (released > 0) {
    meta.left += released;
    meta.serial++;
  }
  return released;
}

/** A user that is `null` got lost: what is published of it cannot be read. */
export interface Listed extends GateState {
  pending: { id: number; user: string | null }[];
}

/** list_pending.lua, without the least age: an early relay is the harder case. */
export function listPending(world: GateWorld, coupon: number): Listed | null {
  const meta = openGate(world, coupon);
  if (meta === null) {
    return null;
  }
  const gate = world.redis.gates[coupon]!;
  const userOf = (id: number): string | null =>
    gate.pendingUsers.find((one) => one.id === id)?.user ?? null;
  const pending = gate.pending.map((id) => ({ id, user: userOf(id) }));
  const isKnown = pending.every(({ id, user }) => user !== null && isHeld(gate, { id, user }));
  if (!isKnown && world.mutation !== 'noPendingUsersCount') {
    shut(world, coupon);
    return null;
  }
  return { epoch: meta.epoch, serial: meta.serial, pending };
}

export interface Inspection extends GateState {
  gate: 'open' | 'fenced' | 'absent';
  left: number;
  holders: number;
  total: number;
  version: number;
  minEpoch: number;
  pending: number;
  /** Its id, which is its time; 0 where nothing is pending. */
  oldestPending: number;
}

/** inspect.lua */
export function inspect(world: GateWorld, coupon: number): Inspection {
  const gate = world.redis.gates[coupon]!;
  const { left = 0, total = 0, version = 0, epoch = 0, minEpoch = 0, serial = 0 } = gate.meta ?? {};
  return {
    gate: stateOf(world, coupon),
    left,
    holders: gate.holders.length,
    total,
    version,
    epoch,
    minEpoch,
    serial,
    pending: gate.pending.length,
    oldestPending: gate.pending.length === 0 ? 0 : Math.min(...gate.pending),
  };
}

/** What inspect.lua calls a gate. */
function stateOf(world: GateWorld, coupon: number): Inspection['gate'] {
  if (openGate(world, coupon) !== null) {
    return 'open';
  }
  return world.redis.gates[coupon]!.meta === null ? 'absent' : 'fenced';
}

export function isOpen(world: GateWorld, coupon: number): boolean {
  return stateOf(world, coupon) === 'open';
}

/** Whether a recovery would begin. */
export function isShut(world: GateWorld, coupon: number): boolean {
  const gate = world.redis.gates[coupon]!;
  const breaksOff = gate.meta !== null && readMeta(world, gate) === null;
  return !isOpen(world, coupon) && !(breaksOff && world.mutation === 'missingFieldBreaksOff');
}
