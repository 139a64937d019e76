import type { FiringAlert } from './look/alerts.ts';
import type { CouponStatus } from './coupon-status.ts';
import type { Told } from './look/look.ts';
import type { PartitionStatus } from './partition-status.ts';
import type { StoreStatus } from './store-status.ts';

export type Severity = 'BROKEN' | 'BEHIND' | 'ATTENTION';

/** Something that needs a person, or time. */
export interface Problem {
  severity: Severity;
  kind:
    | 'conservation'
    | 'store_away'
    | 'gate_refuses'
    | 'gate_shut'
    | 'nobody_decides'
    | 'lag'
    | 'pending'
    | 'dead_letters'
    | 'jobs_away'
    | 'alert'
    | 'alerts_unknown';
  says: string;
  /** What to do, or to run. */
  remedy: string;
  couponId?: number;
}

export type Verdict = Severity | 'HEALTHY';

/** How the system is, from two looks at it. What is not known is null, never 0. */
export interface SystemStatus {
  takenAt: Date;
  /** The most urgent first; none when it is healthy. */
  problems: Problem[];
  totals: Totals;
  /** Those that were looked at, the ones with a problem first. */
  coupons: CouponStatus[];
  others: OtherCoupons;
  partitions: PartitionStatus[];
  stores: StoreStatus[];
  alerts: Told<FiringAlert[]> | undefined;
}

export interface Totals {
  onSale: number | null;
  admittedPerS: number | null;
  issuedPerS: number | null;
  loggedPerS: number | null;
  decidedPerS: number | null;
  lag: number | null;
  lagSeconds: number | null;
  drainS: number | null;
  pending: number | null;
  oldestPendingS: number | null;
  openDeadLetters: number | null;
}

/** Coupons that were not looked at one by one; MySQL knows these sums. */
export interface OtherCoupons {
  coupons: number;
  total: number;
  issued: number;
}

export function verdictOf({ problems }: SystemStatus): Verdict {
  return problems[0]?.severity ?? 'HEALTHY';
}
