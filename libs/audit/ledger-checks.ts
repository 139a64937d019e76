import type { AuditQueries } from '#ledger/audit-queries.ts';
import type { Finding } from './finding.ts';
import { ViolationList } from './finding.ts';
import { toIsoTime } from '#platform/text/iso-time.ts';

/** I1 */
export async function checkTotals(queries: AuditQueries): Promise<Finding> {
  const violations = new ViolationList();
  const counts = await queries.countByCoupon();
  for (const { couponId, total, issued, rows } of counts) {
    if (rows > total) {
      violations.add(`coupon ${couponId}: ${rows} issued of ${total}`);
    }
    if (rows !== issued) {
      violations.add(`coupon ${couponId}: its row says ${issued} issued, there are ${rows}`);
    }
  }
  return violations.toFinding('I1', counts.length);
}

/** I2 */
export async function checkOnePerUser(queries: AuditQueries): Promise<Finding> {
  const violations = new ViolationList();
  for (const { couponId, userId, rows } of await queries.findDuplicateHolders(1_000)) {
    violations.add(`coupon ${couponId}: user ${JSON.stringify(userId)} has ${rows}`);
  }
  const counts = await queries.countByCoupon();
  return violations.toFinding(
    'I2',
    counts.reduce((sum, { rows }) => sum + rows, 0),
  );
}

/** A manager who ends the validity of a coupon, and whoever redeems in the same moment, do not wait for each other. */
const graceMs = 1_000;
const rowsMax = 1_000;

/** I8 */
export async function checkRedemptions(queries: AuditQueries): Promise<Finding> {
  const violations = new ViolationList();
  for (const { issuanceId, rows } of await queries.findRepeatedRedemptions(rowsMax)) {
    violations.add(`issuance ${issuanceId}: redeemed ${rows} times`);
  }
  for (const wrong of await queries.findWrongRedemptions(graceMs, rowsMax)) {
    const { issuanceId, couponId, redeemedAt, validUntil } = wrong;
    violations.add(
      validUntil === null
        ? `issuance ${issuanceId}: redeemed and not issued`
        : `issuance ${issuanceId}: redeemed at ${toIsoTime(redeemedAt)}, coupon ${couponId} was valid until ${toIsoTime(validUntil)}`,
      couponId ?? undefined,
    );
  }
  return violations.toFinding('I8', await queries.countRedemptions());
}
