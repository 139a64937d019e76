import type { RefusalReason } from '#coupon/issuance.ts';
import type { Actor } from './actors.ts';
import type { Mutation } from './mutations.ts';

/** What a coupon allows. Every change of it has a version of its own. */
export interface Coupon {
  version: number;
  total: number;
  state: 'open' | 'paused' | 'closed';
}

/** What `meta` of a coupon holds in Redis; a field that is missing there is missing here. */
export interface Meta extends Partial<Coupon> {
  epoch?: number;
  minEpoch?: number;
  runId?: number;
  left?: number;
  token?: number;
}

/** What Redis can lose: everything but the run id, which belongs to the process. */
export interface GateData {
  meta: Meta | null;
  /** A user holds at most one. */
  holders: Issuance[];
  /** What is not confirmed. */
  pending: Issuance[];
  staging: Issuance[];
  /** Everything acknowledged that was reserved before it is decided; 0 where nobody says so. */
  watermark: number;
}

/** Ids count up: an id is also the time of its reservation. */
export interface RequestRecord {
  kind: 'request';
  id: number;
  user: string;
  epoch: number;
  isOfUnknownCoupon?: true;
}

export type LogRecord = RequestRecord | { kind: 'marker'; epoch: number } | { kind: 'garbage' };

export interface Ledger extends Coupon {
  epoch: number;
  appliedEpoch: number;
  issued: Issuance[];
  refused: Record<number, RefusalReason>;
}

export interface Issuance {
  id: number;
  user: string;
}

/** How often each kind of trouble may still happen. With all at 0 the world is calm. */
export interface Budget {
  /** Redis restarted, rolled back, emptied or failed over. */
  redis: number;
  /** A copy of Redis is taken, which a later rollback or failover goes back to. */
  copies: number;
  /** A produce that is not acknowledged: appended, appended later, or never. */
  timeouts: number;
  /** A produce that is acknowledged and appended once more, later. */
  twice: number;
  /** A reply of Redis that does not arrive, although the script has run. */
  lostReplies: number;
  crashes: number;
  /** Something in the log that nobody of ours wrote. */
  poison: number;
}

/** `fence`: no fault, but `firstcome reconcile --apply`, which has the gate rebuilt. */
export type RedisFault = 'restart' | 'rollback' | 'flush' | 'failover' | 'fence';

/**
 * Everything there is, as plain data, so that it can be copied and compared. One coupon: two coupons
 * share no state but the order of the log.
 */
export interface World {
  mutation: Mutation | null;
  /** The ledger allows less than the gate, as after a change of MySQL by hand: I3 is not promised. */
  overcommitted: boolean;
  /** The lock by which keepers take turns works. It is no fence: without it only liveness may go. */
  takesTurns: boolean;
  redis: GateData & { runId: number };
  backup: GateData;
  replica: GateData;
  log: LogRecord[];
  committed: number;
  /** Produces whose producer has gone on: they may be appended any time, or never. */
  inFlight: LogRecord[];
  /** Offsets of records that are reported as dead letters. */
  deadLetters: number[];
  mysql: Ledger;
  /** What the topic of decisions says of an id. */
  decided: Record<number, string>;
  acknowledged: Issuance[];
  /** Found by a step itself; the invariants report it. */
  broken: string | null;
  actors: Actor[];
  redisFaults: RedisFault[];
  budget: Budget;
  next: { id: number; runId: number; token: number };
}

export const calm: Readonly<Budget> = {
  redis: 0,
  copies: 0,
  timeouts: 0,
  twice: 0,
  lostReplies: 0,
  crashes: 0,
  poison: 0,
};

export interface Scenario {
  total: number;
  actors: Actor[];
  budget?: Partial<Budget>;
  redisFaults?: RedisFault[];
  mutation?: Mutation | null;
  /** How many units fewer MySQL allows than the gate. */
  overcommittedBy?: number;
  /** Who has been issued a unit before it begins. */
  issuedTo?: string[];
  /** Begin with a gate that a restart has just closed. */
  shut?: boolean;
}

/** A coupon that was just created: its gate is open in epoch 1. The actors become part of it. */
export function newWorld(scenario: Scenario): World {
  const { total, overcommittedBy = 0, issuedTo = [] } = scenario;
  const issued = issuedTo.map((user, i) => ({ id: i + 1, user }));
  const coupon: Coupon = { version: 1, total, state: 'open' };
  const left = total - issued.length;
  const data: GateData = {
    meta: { epoch: 1, minEpoch: 1, runId: 1, left, ...coupon },
    holders: issued,
    pending: [],
    staging: [],
    watermark: 0,
  };
  return {
    mutation: scenario.mutation ?? null,
    overcommitted: overcommittedBy > 0,
    takesTurns: false,
    redis: { ...copyGate(data), runId: scenario.shut === true ? 2 : 1 },
    backup: copyGate(data),
    replica: copyGate(data),
    log: [],
    committed: 0,
    inFlight: [],
    deadLetters: [],
    mysql: {
      ...coupon,
      total: total - overcommittedBy,
      epoch: 1,
      appliedEpoch: 1,
      issued,
      refused: {},
    },
    decided: {},
    acknowledged: [...issued],
    broken: null,
    actors: scenario.actors,
    redisFaults: scenario.redisFaults ?? ['restart', 'rollback', 'flush', 'failover'],
    budget: { ...calm, ...scenario.budget },
    next: { id: issued.length + 1, runId: 3, token: 1 },
  };
}

/** A copy of what Redis holds, as a snapshot or a replica has it. */
export function copyGate({ meta, holders, pending, staging, watermark }: GateData): GateData {
  return {
    meta: meta === null ? null : { ...meta },
    holders: [...holders],
    pending: [...pending],
    staging: [...staging],
    watermark,
  };
}
