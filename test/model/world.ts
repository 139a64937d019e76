import type { RefusalReason } from '#coupon/issuance.js';
import type { Mutation } from './mutations.js';

/** What `meta` of a coupon holds in Redis; a field that is missing there is missing here. */
export interface Meta {
  epoch?: number;
  minEpoch?: number;
  runId?: number;
  total?: number;
  left?: number;
  token?: number;
}

/** What Redis can lose: everything but the run id, which belongs to the process. */
export interface GateData {
  meta: Meta | null;
  /** User → issuance id. */
  holders: Record<string, string>;
  /** Issuance id → user, of what is not confirmed. */
  pending: Record<string, string>;
  staging: Record<string, string>;
}

export interface RequestRecord {
  kind: 'request';
  id: string;
  user: string;
  epoch: number;
}

export type LogRecord = RequestRecord | { kind: 'marker'; epoch: number };

export interface Ledger {
  total: number;
  epoch: number;
  appliedEpoch: number;
  issued: { id: string; user: string }[];
  refused: Record<string, RefusalReason>;
}

/** An api with one caller, who asks again until `tries` are used up. */
export interface Client {
  kind: 'client';
  name: string;
  user: string;
  tries: number;
  at: 'idle' | 'publish' | 'confirm' | 'answer';
  id: string;
  epoch: number;
}

/** One of the consumers of the partition; a second one is a zombie that has not noticed yet. */
export interface Issuer {
  kind: 'issuer';
  name: string;
  at: 'idle' | 'decide' | 'release' | 'tell' | 'commit';
  /** The chunk: records from `from` up to but not with `to`. */
  from: number;
  to: number;
  refused: RequestRecord[];
  decisions: [id: string, status: string][];
}

export interface Relay {
  kind: 'relay';
  name: string;
  at: 'idle' | 'publish' | 'confirm';
  batch: RequestRecord[];
}

/** The recovery loop of one keeper. */
export interface Recovery {
  kind: 'recovery';
  name: string;
  /** How often it may still begin. */
  runs: number;
  at: RecoveryStep;
  ledgerEpoch: number;
  epoch: number;
  token: number;
  runId: number;
  /** The last user that was staged. */
  after: string;
  slice: [user: string, id: string][];
}

export type RecoveryStep =
  | 'idle'
  | 'inspect'
  | 'raise'
  | 'fence'
  | 'mark'
  | 'wait'
  | 'claim'
  | 'check'
  | 'read'
  | 'stage'
  | 'open';

export type Actor = Client | Issuer | Relay | Recovery;

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
  mysql: Ledger;
  /** What the topic of decisions says of an id. */
  decided: Record<string, string>;
  acknowledged: { id: string; user: string }[];
  soldOut: string[];
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

/** A campaign that was just created: its gate is open in epoch 1. */
export function newWorld(scenario: Scenario): World {
  const { total, overcommittedBy = 0, issuedTo = [] } = scenario;
  const issued = issuedTo.map((user) => ({ id: `old-${user}`, user }));
  const left = total - issued.length;
  const meta: Meta = { epoch: 1, minEpoch: 1, runId: 1, total, left };
  const holders = Object.fromEntries(issued.map(({ id, user }) => [user, id]));
  const data: GateData = { meta, holders, pending: {}, staging: {} };
  return {
    mutation: scenario.mutation ?? null,
    overcommitted: overcommittedBy > 0,
    takesTurns: false,
    redis: { ...structuredClone(data), runId: scenario.shut === true ? 2 : 1 },
    backup: structuredClone(data),
    replica: structuredClone(data),
    log: [],
    committed: 0,
    inFlight: [],
    mysql: {
      total: total - overcommittedBy,
      epoch: 1,
      appliedEpoch: 1,
      issued,
      refused: {},
    },
    decided: {},
    acknowledged: [...issued],
    soldOut: [],
    broken: null,
    actors: structuredClone(scenario.actors),
    redisFaults: scenario.redisFaults ?? ['restart', 'rollback', 'flush', 'failover'],
    budget: { ...calm, ...scenario.budget },
    next: { id: 1, runId: 3, token: 1 },
  };
}
