import { aCoupon as aPlainCoupon } from '../../../../test/harness/fixtures.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import type { Look } from './look.ts';

const now = 1_790_000_000_000;

export function aCoupon(given: Partial<Coupon> = {}): Coupon {
  return aPlainCoupon({ id: 123, name: 'demo', total: 1_000, issued: 40, ...given });
}

/** Open, with as many holders as given and the rest left. */
export function aGate(given: Partial<GateInspection> = {}): GateInspection {
  const { holders = 50, total = 1_000 } = given;
  return {
    gate: 'open',
    holders,
    total,
    left: total - holders,
    version: 1,
    epoch: 1,
    minEpoch: 1,
    serial: 1,
    pending: 0,
    oldestPendingAt: null,
    now,
    state: 'open',
    opensAt: null,
    closesAt: null,
    kafkaPartition: 0,
    ...given,
  };
}

interface Given {
  atMs?: number;
  coupons?: Coupon[];
  gates?: [number, GateInspection][];
  /** By partition: committed and end of the log. */
  log?: [committed: number, high: number][];
  delayS?: number;
  member?: string | null;
  openDeadLetters?: number;
  whole?: Partial<Look>;
}

/** A look at a system in which all is well; what a test is about is given. */
export function aLook(given: Given = {}): Look {
  const { coupons = [aCoupon()], gates = [[123, aGate()]], log = [[40, 50]] } = given;
  const { member = 'firstcome-issuer-abcdef@10.0.0.7', delayS = 0.2 } = given;
  const figures = {
    role: 'master',
    version: '7.0.15',
    usedBytes: 3e7,
    limitBytes: 1e8,
    memoryRatio: 0.3,
  };
  return {
    takenAt: new Date(now),
    atMs: given.atMs ?? 1_000,
    ledger: {
      value: {
        coupons,
        openDeadLetters: given.openDeadLetters ?? 0,
        figures: {
          version: '8.4.3',
          connections: 21,
          connectionsMax: 200,
          bufferPoolBytes: 2 ** 28,
        },
      },
    },
    gate: { value: { now, gates: new Map(gates), isCut: false, figures, refusal: undefined } },
    log: {
      value: {
        lags: log.map(([committed, high], partition) => ({
          partition,
          committed,
          logStart: 0,
          high,
          lag: high - committed,
        })),
        members: new Map(member === null ? [] : log.map((_, partition) => [partition, member])),
        delays: new Map(log.map(([committed, high], i) => [i, high === committed ? 0 : delayS])),
        figures: { brokers: 1, controller: 1, leaderless: 0, underReplicated: 0 },
      },
    },
    jobs: { value: figures },
    alerts: { value: [] },
    ...given.whole,
  };
}
