import type { Mutation } from '../mutations.ts';

/** What a coupon allows. Every change of it has a version of its own. */
export interface Coupon {
  version: number;
  total: number;
  state: 'open' | 'paused' | 'closed';
}

/** Ids count up: an id is also the time of its reservation. */
export interface Issuance {
  id: number;
  user: string;
}

/** The fields of `meta`; one that is missing there is missing here. */
export interface Meta extends Partial<Coupon> {
  epoch?: number;
  minEpoch?: number;
  runId?: number;
  /** Of the replication of the server. */
  history?: number;
  /** How much was written since it was opened. */
  serial?: number;
  left?: number;
  /** How many are pending. */
  pending?: number;
  token?: number;
  /** How many are staged. */
  staged?: number;
}

/**
 * The keys of one coupon. Times and the partition are left out: no safeguard depends on them, and the
 * specs of the gate check them.
 */
export interface Gate {
  meta: Meta | null;
  /** By user. */
  holders: Issuance[];
  /** Ids that are not confirmed. */
  pending: number[];
  /** By id. */
  pendingUsers: Issuance[];
}

/** What Redis can lose: everything but run id and history, which belong to the process. */
export interface RedisData {
  /** By coupon. */
  gates: Gate[];
  /** Everything acknowledged that was reserved before it is decided; 0 where nobody says so. */
  watermark: number;
}

/** How far a gate has come. */
export interface GateState {
  epoch: number;
  serial: number;
}

/** What a script runs in. */
export interface GateWorld {
  mutation: Mutation | null;
  redis: RedisData & { runId: number; history: number };
  /** By coupon, the latest state of its gate that its callers have seen, or were told of. */
  seen: GateState[];
  /** Whoever asks a gate knows what anybody was answered; else only what he reads in MySQL. */
  isInformed: boolean;
  next: { id: number };
}

export function absentGate(): Gate {
  return { meta: null, holders: [], pending: [], pendingUsers: [] };
}

/** A gate that was opened in epoch 1 of run 1, whose history is 1, too. */
export function openedGate(coupon: Coupon, holders: readonly Issuance[] = []): Gate {
  const left = coupon.total - holders.length;
  const meta = {
    epoch: 1,
    minEpoch: 1,
    runId: 1,
    history: 1,
    serial: 0,
    left,
    pending: 0,
    ...coupon,
  };
  return { ...absentGate(), meta, holders: [...holders] };
}

export function copyGate({ meta, holders, pending, pendingUsers }: Gate): Gate {
  return {
    meta: meta === null ? null : { ...meta },
    holders: [...holders],
    pending: [...pending],
    pendingUsers: [...pendingUsers],
  };
}

/** A copy of what Redis holds, as a snapshot or a replica has it. */
export function copyRedis({ gates, watermark }: RedisData): RedisData {
  return { gates: gates.map(copyGate), watermark };
}
