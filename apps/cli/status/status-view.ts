import type { SystemStatus } from './system-status.ts';
import { verdictOf } from './system-status.ts';
import { headline } from './screen/words.ts';

/** The status as `--json` prints it: docs/operations.md names the fields. Unknown is null. */
export function toStatusView(status: SystemStatus): object {
  const { takenAt, problems, totals, coupons, others, partitions, stores, alerts } = status;
  return {
    verdict: verdictOf(status),
    says: headline(status),
    taken_at: takenAt.toISOString(),
    problems: problems.map(({ couponId, ...problem }) => ({
      ...problem,
      coupon_id: couponId ?? null,
    })),
    coupons_on_sale: totals.onSale,
    admitted_per_s: totals.admittedPerS,
    issued_per_s: totals.issuedPerS,
    logged_per_s: totals.loggedPerS,
    decided_per_s: totals.decidedPerS,
    lag: totals.lag,
    lag_seconds: totals.lagSeconds,
    drain_seconds: totals.drainS,
    pending: totals.pending,
    oldest_pending_seconds: totals.oldestPendingS,
    dead_letters_open: totals.openDeadLetters,
    coupons: coupons.map((coupon) => ({
      coupon_id: coupon.couponId,
      name: coupon.name,
      state: coupon.state,
      gate: coupon.gate,
      total: coupon.total,
      left: coupon.left,
      held: coupon.held,
      issued: coupon.issued,
      under_way: coupon.underWay,
      pending: coupon.pending,
      oldest_pending_seconds: coupon.oldestPendingS,
      admitted_per_s: coupon.admittedPerS,
      issued_per_s: coupon.issuedPerS,
      sell_out_seconds: coupon.sellOutS,
      breach: coupon.breach?.says ?? null,
    })),
    other_coupons: others,
    partitions: partitions.map((partition) => ({
      partition: partition.partition,
      lag: partition.lag,
      lag_seconds: partition.lagSeconds,
      logged_per_s: partition.loggedPerS,
      decided_per_s: partition.decidedPerS,
      drain_seconds: partition.drainS,
      member: partition.member,
    })),
    stores: stores.map((store) => ({
      store: store.store,
      away: store.isAway,
      role: store.role,
      memory_used_bytes: store.usedBytes,
      memory_limit_bytes: store.limitBytes,
      says: store.says,
    })),
    alerts:
      alerts === undefined
        ? { asked: false, firing: null, problem: null }
        : { asked: true, firing: alerts.value ?? null, problem: alerts.problem ?? null },
  };
}
