import type { RefusalReason } from '#coupon/issuance.ts';
import type { Actor } from './actors.ts';
import type { Coupon, GateWorld, Issuance, RedisData } from './gate/gate.ts';
import { copyRedis, openedGate } from './gate/gate.ts';
import type { Loss } from './gate/losses.ts';
import type { Mutation } from './mutations.ts';

export interface RequestRecord extends Issuance {
  kind: 'request';
  coupon: number;
  epoch: number;
}

export type LogRecord =
  RequestRecord | { kind: 'marker'; coupon: number; epoch: number } | { kind: 'garbage' };

/** A coupon in MySQL. */
export interface LedgerCoupon extends Coupon {
  epoch: number;
  appliedEpoch: number;
  issued: Issuance[];
}

export interface Ledger {
  coupons: LedgerCoupon[];
  /** By id, which no two coupons share. */
  refused: Record<number, RefusalReason>;
}

/** One that neither Redis nor MySQL knows. */
export const unknownCoupon = 99;

/** How often each kind of trouble may still happen. With all at 0 the world is calm. */
export interface Budget {
  /** Redis restarted, rolled back, emptied, failed over or demoted for a while. */
  redis: number;
  /** A key or a field of one gate is lost while Redis lives on. */
  losses: number;
  /** A gate is put back from a copy while Redis lives on. */
  putBacks: number;
  /** An api reads in MySQL which epochs there are. */
  catalogues: number;
  /** A recovery that waits for its marker gives up. */
  timeLimits: number;
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

/**
 * `demotion`: a primary becomes the replica of another one, and then a primary again. `fence`: no
 * fault, but `firstcome reconcile --apply`, which has the gate rebuilt.
 */
export type RedisFault = 'restart' | 'rollback' | 'flush' | 'failover' | 'demotion' | 'fence';

/**
 * Everything there is, as plain data, so that it can be copied and compared. Coupons are numbered from
 * 0 on and share one partition of the log.
 */
export interface World extends GateWorld {
  /** The ledger allows less than the gate, as after a change of MySQL by hand: I3 is not promised. */
  overcommitted: boolean;
  /** The lock by which keepers take turns works. It is no fence: without it only liveness may go. */
  takesTurns: boolean;
  backup: RedisData;
  replica: RedisData;
  log: LogRecord[];
  committed: number;
  /** Claims of gates whose recovery has gone on: they may arrive any time, or never. */
  lateClaims: LateClaim[];
  /** Produces whose producer has gone on: they may be appended any time, or never. */
  inFlight: LogRecord[];
  /** Offsets of records that are reported as dead letters. */
  deadLetters: number[];
  mysql: Ledger;
  /** What the topic of decisions says of an id. */
  decided: Record<number, string>;
  acknowledged: Acknowledged[];
  /** By coupon: the last change whose manager was told that it is made. */
  toldVersions: number[];
  /** Where it ends all gates must be open, and the log decided. */
  mustServe: boolean;
  /** Found by a step itself; the invariants report it. */
  broken: string | null;
  actors: Actor[];
  redisFaults: RedisFault[];
  losses: Loss[];
  /** Something was lost or put back behind the gate's back: it may be off until it is looked at. */
  isMeddledWith: boolean;
  budget: Budget;
  next: { id: number; runId: number; history: number; token: number };
}

export interface LateClaim {
  coupon: number;
  epoch: number;
  token: number;
}

export interface Acknowledged extends Issuance {
  coupon: number;
}

export const calm: Readonly<Budget> = {
  redis: 0,
  losses: 0,
  putBacks: 0,
  catalogues: 0,
  timeLimits: 0,
  copies: 0,
  timeouts: 0,
  twice: 0,
  lostReplies: 0,
  crashes: 0,
  poison: 0,
};

export interface Scenario {
  /** How many coupons there are (default: 1). */
  coupons?: number;
  /** Of each coupon. */
  total: number;
  actors: Actor[];
  budget?: Partial<Budget>;
  redisFaults?: RedisFault[];
  losses?: Loss[];
  /** Whoever asks a gate knows what anybody was answered, and the epochs of MySQL before one is put back. */
  informed?: boolean;
  mutation?: Mutation | null;
  /** How many units fewer MySQL allows than the gate. */
  overcommittedBy?: number;
  /** Who has been issued a unit of the first coupon before it begins. */
  issuedTo?: string[];
  /** Begin with gates that a restart has just closed. */
  shut?: boolean;
  /** Its recoveries are enough for whatever may happen: at rest every gate must be open. */
  mustServe?: boolean;
}

/** Coupons that were just created: their gates are open in epoch 1. The actors become part of it. */
export function newWorld(scenario: Scenario): World {
  const { coupons = 1, total, overcommittedBy = 0, issuedTo = [] } = scenario;
  const issued = issuedTo.map((user, i) => ({ id: i + 1, user }));
  const issuedOf = (coupon: number): Issuance[] => (coupon === 0 ? [...issued] : []);
  const terms: Coupon = { version: 1, total, state: 'open' };
  const ids = Array.from({ length: coupons }, (_, coupon) => coupon);
  const data: RedisData = {
    gates: ids.map((coupon) => openedGate(terms, issuedOf(coupon))),
    watermark: 0,
  };
  return {
    mutation: scenario.mutation ?? null,
    overcommitted: overcommittedBy > 0,
    takesTurns: false,
    redis: { ...copyRedis(data), runId: scenario.shut === true ? 2 : 1, history: 1 },
    isInformed: scenario.informed ?? false,
    seen: ids.map(() => ({ epoch: 1, serial: 0 })),
    backup: copyRedis(data),
    replica: data,
    log: [],
    committed: 0,
    lateClaims: [],
    inFlight: [],
    deadLetters: [],
    mysql: {
      coupons: ids.map((coupon) => ({
        ...terms,
        total: total - overcommittedBy,
        epoch: 1,
        appliedEpoch: 1,
        issued: issuedOf(coupon),
      })),
      refused: {},
    },
    decided: {},
    acknowledged: issued.map((one) => ({ coupon: 0, ...one })),
    toldVersions: ids.map(() => 1),
    mustServe: scenario.mustServe ?? false,
    broken: null,
    actors: scenario.actors,
    redisFaults: scenario.redisFaults ?? ['restart', 'rollback', 'flush', 'failover', 'demotion'],
    losses: scenario.losses ?? [],
    isMeddledWith: false,
    budget: { ...calm, ...scenario.budget },
    next: { id: issued.length + 1, runId: 3, history: 2, token: 1 },
  };
}
