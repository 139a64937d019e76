import { countOf, rateOf, spanOf } from './numbers.ts';
import type { SystemStatus } from '../system-status.ts';
import { verdictOf } from '../system-status.ts';

/** The verdict, in words. */
export function headline(status: SystemStatus): string {
  const [worst] = status.problems;
  const says = worst === undefined ? healthyWords(status) : worst.says;
  return `${verdictOf(status)}: ${says}`;
}

function healthyWords({ totals: { onSale, lag, lagSeconds, admittedPerS } }: SystemStatus): string {
  const sold = `${onSale} ${onSale === 1 ? 'coupon' : 'coupons'} on sale`;
  const pace =
    admittedPerS === null || admittedPerS === 0 ? '' : `, ${rateOf(admittedPerS)} admitted`;
  const behind =
    lag === 0
      ? 'all is decided'
      : `${countOf(lag)} records under way, ${lagSeconds === null ? '' : spanOf(lagSeconds)} old`;
  return `${sold}${pace}, ${behind}`;
}

/** The sums of all coupons and partitions, those that are known, on one line. */
export function totalsInWords({ totals }: SystemStatus): string {
  const { admittedPerS, issuedPerS, decidedPerS, lag, lagSeconds, drainS, pending } = totals;
  const { oldestPendingS, openDeadLetters } = totals;
  return [
    ...(admittedPerS === null ? [] : [`admitted ${rateOf(admittedPerS)}`]),
    ...(decidedPerS === null ? [] : [`decided ${rateOf(decidedPerS)}`]),
    ...(issuedPerS === null ? [] : [`issued ${rateOf(issuedPerS)}`]),
    ...(lag === null ? [] : [`lag ${countOf(lag)} records`]),
    ...(lagSeconds === null ? [] : [`${spanOf(lagSeconds)} behind`]),
    ...(drainS === null || drainS === 0 ? [] : [`caught up in ${spanOf(drainS)}`]),
    ...(pending === null ? [] : [`pending ${countOf(pending)}`]),
    ...(oldestPendingS === null || oldestPendingS === 0
      ? []
      : [`the oldest for ${spanOf(oldestPendingS)}`]),
    ...(openDeadLetters === null ? [] : [`dead letters ${countOf(openDeadLetters)}`]),
  ].join(', ');
}

/** All of it on one line, for a pipe. */
export function lineOf(status: SystemStatus): string {
  return `${status.takenAt.toISOString()} ${headline(status)} | ${totalsInWords(status)}`;
}
