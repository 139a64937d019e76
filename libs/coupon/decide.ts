import type { DecidedIssuance, RefusalReason } from './issuance.ts';
import type { IssuanceRequest } from './issuance-request.ts';

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
  /** Issuance id, issued or refused → the holder key of the request it is recorded for. */
  recordedFor: ReadonlyMap<string, string>;
}

export interface Decision extends Pick<DecidedIssuance, 'status' | 'reason' | 'decidedAt'> {
  request: IssuanceRequest;
  /** False when the ledger has this decision already: the record was delivered again. */
  isNew: boolean;
}

export interface DecidedChunk {
  /** In the order of the log; without the conflicting ones. */
  decisions: Decision[];
  /**
   * Requests under an id that is recorded for another user or coupon. The gate gives every id once, so
   * a foreign writer made one of the two; there is no id left to record a refusal under.
   */
  conflicting: IssuanceRequest[];
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
  requests: readonly IssuanceRequest[],
  view: LedgerView,
  now: number,
): DecidedChunk {
  const issuedCount = new Map<number, number>();
  const issued = new Map(view.issued);
  const refused = new Map(view.refused);
  const recordedFor = new Map(view.recordedFor);
  const conflicting: IssuanceRequest[] = [];

  const decideOne = (request: IssuanceRequest, key: string): Decision => {
    const { issuanceId: id, couponId } = request;
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
  };

  const decisions = requests.flatMap((request) => {
    const key = holderKey(request.couponId, request.userId);
    if ((recordedFor.get(request.issuanceId) ?? key) !== key) {
      conflicting.push(request);
      return [];
    }
    recordedFor.set(request.issuanceId, key);
    return [decideOne(request, key)];
  });
  return { decisions, conflicting };
}

function refusalReason(
  request: IssuanceRequest,
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
