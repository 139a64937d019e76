import { decide } from '#coupon/decide.ts';
import type { Decision } from '#coupon/decide.ts';
import type { Coupon, Issuance, RequestRecord, World } from './world.ts';

/*
 * The statements and transactions of `libs/ledger`, one function each. Nothing happens inside of one.
 */

const couponId = 1;
const unknownCouponId = 2;

/** find of coupon-ledger.ts: the coupon, as it is now. */
export function findCoupon({ mysql: { version, total, state } }: World): Coupon {
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
  { version, asRead, inEpoch, ...to }: Change,
): 'made' | 'overtaken' | 'rejected' {
  const isAsRead = mysql.version === asRead;
  const isNext = mutation === 'changeUnseen' ? isAsRead || mysql.version < version : isAsRead;
  if (!isNext || (inEpoch !== undefined && inEpoch !== mysql.epoch)) {
    return 'overtaken';
  }
  if (mysql.issued.length > (to.total ?? mysql.total)) {
    return 'rejected';
  }
  Object.assign(mysql, { version, ...to });
  return 'made';
}

/** takeVersion of coupon-ledger.ts */
export function takeVersion({ mysql }: World, asRead: number, version: number): boolean {
  if (mysql.version !== asRead) {
    return false;
  }
  mysql.version = version;
  return true;
}

/** raiseEpoch of coupon-ledger.ts */
export function raiseEpoch({ mysql }: World, epoch: number): boolean {
  if (mysql.epoch >= epoch) {
    return false;
  }
  mysql.epoch = epoch;
  return true;
}

/** A slice of `holders` of issuance-ledger.ts: the issuances of the users after `after`. */
export function readHolders({ mysql }: World, after: string, size: number): Issuance[] {
  return mysql.issued
    .filter(({ user }) => user > after)
    .sort((a, b) => (a.user < b.user ? -1 : 1))
    .slice(0, size);
}

/** findStatus of issuance-ledger.ts */
export function isDecided({ mysql }: World, id: number): boolean {
  return id in mysql.refused || mysql.issued.some((issuance) => issuance.id === id);
}

/** applyMarker of issuance-ledger.ts */
export function applyMarker({ mysql }: World, epoch: number): void {
  mysql.appliedEpoch = Math.max(mysql.appliedEpoch, epoch);
}

/** decideChunk of issuance-ledger.ts: the real `decide`, on a view of the modelled tables. */
export function decideChunk(world: World, requests: readonly RequestRecord[]): Decision[] {
  const { mysql } = world;
  const { decisions } = decide(requests.map(toEvent), viewOf(world), 0);
  for (const { request, status, reason, isNew } of decisions) {
    const id = Number(request.issuanceId);
    if (isNew && status === 'ISSUED') {
      mysql.issued.push({ id, user: request.userId });
    } else if (isNew) {
      mysql.refused[id] = reason!;
    }
  }
  return decisions;
}

function viewOf({ mysql, mutation }: World): Parameters<typeof decide>[1] {
  const forgets = mutation === 'noDeduplication';
  const coupon = {
    total: mysql.total,
    issued: mysql.issued.length,
    appliedEpoch: mutation === 'noVoid' ? 0 : mysql.appliedEpoch,
  };
  const issued = (forgets ? [] : mysql.issued).map(
    ({ id, user }) => [`${couponId} ${user}`, { issuanceId: String(id), decidedAt: 0 }] as const,
  );
  const refused = Object.entries(forgets ? {} : mysql.refused).map(
    ([id, reason]) => [id, { reason, decidedAt: 0 }] as const,
  );
  return {
    coupons: new Map([[couponId, coupon]]),
    issued: new Map(issued),
    refused: new Map(refused),
    // Nobody but the gate makes ids here.
    recordedFor: new Map(),
  };
}

function toEvent({ id, user, epoch, isOfUnknownCoupon }: RequestRecord) {
  return {
    issuanceId: String(id),
    couponId: isOfUnknownCoupon === true ? unknownCouponId : couponId,
    userId: user,
    epoch,
    reservedAt: 0,
  };
}
