import { decide, holderKey } from '#coupon/decide.ts';
import type { Decision } from '#coupon/decide.ts';
import type { Coupon, Issuance } from './gate/gate.ts';
import type { RequestRecord, World } from './world.ts';

/*
 * The statements and transactions of `libs/ledger`, one function each. Nothing happens inside of one.
 */

/** find of coupon-ledger.ts: the coupon, as it is now. */
export function findCoupon({ mysql }: World, id: number): Coupon {
  const { version, total, state } = mysql.coupons[id]!;
  return { version, total, state };
}

export interface Change extends Partial<Coupon> {
  version: number;
  /** Of the coupon that the change was decided on. */
  asRead: number;
  inEpoch?: number;
}

/** change of coupon-ledger.ts; `rejected` by CHECK issued <= total. */
export function changeCoupon(
  { mysql, mutation }: World,
  id: number,
  { version, asRead, inEpoch, ...to }: Change,
): 'made' | 'overtaken' | 'rejected' {
  const coupon = mysql.coupons[id]!;
  const isAsRead = coupon.version === asRead;
  const isNext = mutation === 'changeUnseen' ? isAsRead || coupon.version < version : isAsRead;
  if (!isNext || (inEpoch !== undefined && inEpoch !== coupon.epoch)) {
    return 'overtaken';
  }
  if (coupon.issued.length > (to.total ?? coupon.total)) {
    return 'rejected';
  }
  Object.assign(coupon, { version, ...to });
  return 'made';
}

/** takeVersion of coupon-ledger.ts */
export function takeVersion(
  { mysql }: World,
  id: number,
  asRead: number,
  version: number,
): boolean {
  const coupon = mysql.coupons[id]!;
  if (coupon.version !== asRead) {
    return false;
  }
  coupon.version = version;
  return true;
}

/** raiseEpoch of coupon-ledger.ts */
export function raiseEpoch({ mysql }: World, id: number, epoch: number): boolean {
  const coupon = mysql.coupons[id]!;
  if (coupon.epoch >= epoch) {
    return false;
  }
  coupon.epoch = epoch;
  return true;
}

/** A slice of `holders` of issuance-ledger.ts: the issuances of the users after `after`. */
export function readHolders({ mysql }: World, id: number, after: string, size: number): Issuance[] {
  return mysql.coupons[id]!.issued.filter(({ user }) => user > after)
    .sort((a, b) => (a.user < b.user ? -1 : 1))
    .slice(0, size);
}

/** findStatuses of issuance-ledger.ts */
export function isDecided({ mysql }: World, id: number): boolean {
  return (
    id in mysql.refused ||
    mysql.coupons.some(({ issued }) => issued.some((issuance) => issuance.id === id))
  );
}

/** applyMarker of issuance-ledger.ts */
export function applyMarker({ mysql, mutation }: World, id: number, epoch: number): void {
  mysql.coupons.forEach((coupon, i) => {
    if (i === id || mutation === 'markerOfAll') {
      coupon.appliedEpoch = Math.max(coupon.appliedEpoch, epoch);
    }
  });
}

/** decideChunk of issuance-ledger.ts: the real `decide`, on a view of the modelled tables. */
export function decideChunk(world: World, requests: readonly RequestRecord[]): Decision[] {
  const { mysql } = world;
  const { decisions } = decide(requests.map(toEvent), viewOf(world), 0);
  for (const { request, status, reason, isNew } of decisions) {
    const id = Number(request.issuanceId);
    if (isNew && status === 'ISSUED') {
      mysql.coupons[request.couponId]!.issued.push({ id, user: request.userId });
    } else if (isNew) {
      mysql.refused[id] = reason!;
    }
  }
  return decisions;
}

function viewOf({ mysql, mutation }: World): Parameters<typeof decide>[1] {
  const forgets = mutation === 'noDeduplication';
  const coupons = mysql.coupons.map(({ total, issued, appliedEpoch }, id) => {
    const count = {
      total: mutation === 'noTotalInLedger' ? Infinity : total,
      issued: issued.length,
      appliedEpoch: mutation === 'noVoid' ? 0 : appliedEpoch,
    };
    return [id, count] as const;
  });
  const issued = (forgets ? [] : mysql.coupons).flatMap((coupon, couponId) =>
    coupon.issued.map(
      ({ id, user }) =>
        [holderKey(couponId, user), { issuanceId: String(id), decidedAt: 0 }] as const,
    ),
  );
  const refused = Object.entries(forgets ? {} : mysql.refused).map(
    ([id, reason]) => [id, { reason, decidedAt: 0 }] as const,
  );
  return {
    coupons: new Map(coupons),
    issued: new Map(issued),
    refused: new Map(refused),
    // Nobody but the gate makes ids here.
    recordedFor: new Map(),
  };
}

function toEvent({ id, user, coupon, epoch }: RequestRecord) {
  return {
    issuanceId: String(id),
    couponId: coupon,
    userId: user,
    epoch,
    reservedAt: 0,
  };
}
