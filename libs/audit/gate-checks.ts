import type { Coupon } from '#coupon/coupon.ts';
import type { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import type { Gate } from '#gate/gate.ts';
import type { Finding } from './finding.ts';
import { ViolationList } from './finding.ts';
import { describeUnrecorded, findMissing, findUnrecorded } from './holder-differences.ts';

/**
 * I4. A gate that is shut violates it too, unless `mayBeShut`: a recovery may be under way, and one that
 * is absent has some of its holders then, and no stock yet.
 */
export async function checkStock(
  gate: Pick<Gate, 'inspect'>,
  coupons: Coupon[],
  { mayBeShut = false } = {},
): Promise<Finding> {
  const violations = new ViolationList();
  for (const { id } of coupons) {
    const { gate: state, left, holders, total } = await gate.inspect(id);
    if (state === 'absent') {
      if (!mayBeShut) {
        violations.add(`coupon ${id}: it has no gate`, id);
      }
    } else if (left + holders !== total) {
      violations.add(`coupon ${id}: ${left} left + ${holders} held is not ${total}`, id);
    } else if (state === 'fenced' && !mayBeShut) {
      violations.add(`coupon ${id}: its gate is shut, a recovery is due`, id);
    }
  }
  return violations.toFinding('I4', coupons.length);
}

/** I5 by numbers only, for a system at rest. `coupons` as MySQL has them now. */
export async function checkHolderCounts(gate: Gate, coupons: Coupon[]): Promise<Finding> {
  const violations = new ViolationList();
  for (const { id, issued } of coupons) {
    const { holders } = await gate.inspect(id);
    if (holders !== issued) {
      violations.add(`coupon ${id}: the gate holds ${holders}, MySQL has issued ${issued}`, id);
    }
  }
  return violations.toFinding('I5', coupons.length);
}

/** I5, for a system at rest: nothing pending, no lag. */
export async function checkHolders(
  gate: Gate,
  issuances: IssuanceLedger,
  coupons: Coupon[],
): Promise<Finding> {
  const violations = new ViolationList();
  let checked = 0;
  for (const { id } of coupons) {
    const tell = (difference: string): void => violations.add(`coupon ${id}, ${difference}`);
    let recorded = 0;
    for await (const { issued, missing } of findMissing(gate, issuances, id)) {
      recorded += issued;
      missing.forEach(tell);
    }
    checked += recorded;
    const { holders } = await gate.inspect(id);
    if (holders !== recorded) {
      for await (const slice of findUnrecorded(gate, issuances, id)) {
        slice.forEach((holder) => tell(describeUnrecorded(holder)));
      }
    }
  }
  return violations.toFinding('I5', checked);
}
