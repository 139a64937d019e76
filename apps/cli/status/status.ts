import type { Coupon } from '#coupon/coupon.ts';
import type { CouponStatus } from './coupon-status.ts';
import { couponStatus } from './coupon-status.ts';
import type { Look } from './look/look.ts';
import type { PartitionStatus } from './partition-status.ts';
import { partitionStatuses } from './partition-status.ts';
import { byUrgency, problemsOf } from './problems.ts';
import { storeStatuses } from './store-status.ts';
import type { OtherCoupons, SystemStatus, Totals } from './system-status.ts';
import { inOrderOfInterest } from './look/watched-coupons.ts';

/** `before` is the same system a while ago; without it no rate is known. */
export function statusOf(before: Look | undefined, now: Look): SystemStatus {
  const coupons = couponsOf(before, now);
  const partitions = partitionStatuses(before, now);
  const known: SystemStatus = {
    takenAt: now.takenAt,
    problems: [],
    totals: totalsOf(coupons, partitions, now),
    coupons,
    others: othersOf(now),
    partitions,
    stores: storeStatuses(now),
    alerts: now.alerts,
  };
  const problems = problemsOf(known, now).toSorted(byUrgency);
  const troubled = new Set(problems.flatMap(({ couponId }) => couponId ?? []));
  const byTrouble = (a: CouponStatus, b: CouponStatus): number =>
    Number(troubled.has(b.couponId)) - Number(troubled.has(a.couponId));
  return { ...known, problems, coupons: coupons.toSorted(byTrouble) };
}

function couponsOf(before: Look | undefined, now: Look): CouponStatus[] {
  const { value: ledger } = now.ledger;
  const { value: gate } = now.gate;
  const clock = gate?.now ?? now.takenAt.getTime();
  const rows: (Coupon | undefined)[] =
    ledger === undefined ? [] : inOrderOfInterest(ledger.coupons, clock);
  const ids =
    gate === undefined
      ? rows.map((row) => row!.id).slice(0, shownWithoutGate)
      : [...gate.gates.keys()];
  const byId = new Map(rows.map((row) => [row!.id, row]));
  return ids
    .filter((id) => ledger === undefined || byId.has(id))
    .map((id) => couponStatus(id, before, now));
}

/** As many as are looked at while the gate answers. */
const shownWithoutGate = 200;

function othersOf({ ledger, gate }: Look): OtherCoupons {
  const shown = gate.value?.gates;
  const others = (ledger.value?.coupons ?? []).filter(
    ({ id }) => shown !== undefined && !shown.has(id),
  );
  return {
    coupons: others.length,
    total: sum(others.map(({ total }) => total)),
    issued: sum(others.map(({ issued }) => issued)),
  };
}

function totalsOf(
  coupons: CouponStatus[],
  partitions: PartitionStatus[],
  { gate, ledger, log }: Look,
): Totals {
  const parts = log.value === undefined ? undefined : partitions;
  const gates = gate.value === undefined ? undefined : coupons;
  return {
    onSale: gates?.filter(({ state }) => state === 'OPEN').length ?? null,
    admittedPerS: sumIfKnown(gates?.map(({ admittedPerS }) => admittedPerS)),
    issuedPerS:
      ledger.value === undefined ? null : sumIfKnown(coupons.map(({ issuedPerS }) => issuedPerS)),
    loggedPerS: sumIfKnown(parts?.map(({ loggedPerS }) => loggedPerS)),
    decidedPerS: sumIfKnown(parts?.map(({ decidedPerS }) => decidedPerS)),
    lag: sumIfKnown(parts?.map(({ lag }) => lag)),
    lagSeconds: largestIfKnown(parts?.map(({ lagSeconds }) => lagSeconds)),
    drainS: largestIfKnown(parts?.map(({ drainS }) => drainS)),
    pending: sumIfKnown(
      gates?.filter(({ gate: state }) => state === 'open').map(({ pending }) => pending),
    ),
    oldestPendingS:
      gates === undefined ? null : Math.max(0, ...gates.map((each) => each.oldestPendingS ?? 0)),
    openDeadLetters: ledger.value?.openDeadLetters ?? null,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function sumIfKnown(numbers: readonly (number | null)[] | undefined): number | null {
  return numbers === undefined || numbers.includes(null) ? null : sum(numbers as number[]);
}

function largestIfKnown(numbers: readonly (number | null)[] | undefined): number | null {
  return numbers === undefined || numbers.includes(null)
    ? null
    : Math.max(0, ...(numbers as number[]));
}
