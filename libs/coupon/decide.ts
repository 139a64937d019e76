import type { IssuanceRequested } from './events.js';
import type { RefusalReason } from './issuance.js';

/** What MySQL says of a coupon while its row is locked. */
export interface CouponCount {
  total: number;
  issued: number;
  appliedEpoch: number;
}

/** What is already recorded that bears on a chunk of requests. */
export interface LedgerView {
  coupons: ReadonlyMap<number, CouponCount>;
  /** Holder key → what that user was issued; see `holderKey`. */
  issued: ReadonlyMap<string, { issuanceId: string; decidedAt: number }>;
  /** Issuance id → why and when it was refused before. */
  refused: ReadonlyMap<string, { reason: RefusalReason; decidedAt: number }>;
}

export interface Decision {
  request: IssuanceRequested;
  status: 'ISSUED' | 'REFUSED';
  reason?: RefusalReason;
  /** Milliseconds since 1970. */
  decidedAt: number;
  /** False when the ledger has this decision already: the record was delivered again. */
  isNew: boolean;
}

export function holderKey(couponId: number, userId: string): string {
  return `${couponId} ${userId}`;
}

/**
 * Decides requests in the order of the log. Pure: the same view and requests give the same decisions,
 * and a request decided before gets the same decision again, so a record may be delivered any number
 * of times.
 */
export function decide(
  requests: readonly IssuanceRequested[],
  view: LedgerView,
  now: number,
): Decision[] {
  const issuedCount = new Map<number, number>();
  const issued = new Map(view.issued);
  const refused = new Map(view.refused);

  return requests.map((request) => {
    const { issuance_id: id, coupon_id: couponId, user_id: userId } = request;
    const key = holderKey(couponId, userId);
    const issuedBefore = issued.get(key);
    if (issuedBefore?.issuanceId === id) {
      return { request, status: 'ISSUED', decidedAt: issuedBefore.decidedAt, isNew: false };
    }
    const refusedBefore = refused.get(id);
    if (refusedBefore !== undefined) {
      return { request, status: 'REFUSED', ...refusedBefore, isNew: false };
    }
    const coupon = view.coupons.get(couponId);
    const newlyIssued = issuedCount.get(couponId) ?? 0;
    const reason = refusalReason(request, coupon, newlyIssued, issuedBefore !== undefined);
    if (reason !== undefined) {
      refused.set(id, { reason, decidedAt: now });
      return { request, status: 'REFUSED', reason, decidedAt: now, isNew: true };
    }
    issued.set(key, { issuanceId: id, decidedAt: now });
    issuedCount.set(couponId, newlyIssued + 1);
    return { request, status: 'ISSUED', decidedAt: now, isNew: true };
  });
}

function refusalReason(
  request: IssuanceRequested,
  coupon: CouponCount | undefined,
  newlyIssued: number,
  userHasOne: boolean,
): RefusalReason | undefined {
  if (coupon === undefined) {
    return 'UNKNOWN_COUPON';
  }
  if (userHasOne) {
    return 'DUPLICATE';
  }
  if (request.epoch < coupon.appliedEpoch) {
    return 'VOID';
  }
  return coupon.issued + newlyIssued >= coupon.total ? 'SOLD_OUT' : undefined;
}
