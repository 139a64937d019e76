import type { Asked, CouponHistory } from './coupon-history.ts';

/**
 * One id for each user of a coupon, for ever, and no id for two. An id that came with no confirmation
 * (503 UNCONFIRMED) may be given up for another one, yet it is never anybody else's.
 */
export function findWrongIds(histories: Iterable<CouponHistory>): Asked[][] {
  const wrong: Asked[][] = [];
  const firstOfId = new Map<string, { couponId: number; asked: Asked }>();
  for (const { couponId, asked } of histories) {
    const firstOfUser = new Map<string, { id: string; asked: Asked }>();
    for (const one of asked) {
      if (!('issuanceId' in one.told) || one.told.issuanceId === undefined) {
        continue;
      }
      const id = one.told.issuanceId.toLowerCase();
      const owner = firstOfId.get(id) ?? { couponId, asked: one };
      firstOfId.set(id, owner);
      if (owner.couponId !== couponId || owner.asked.userId !== one.userId) {
        wrong.push(inOrder(owner.asked, one));
      } else if (one.told.kind === 'accepted') {
        const first = firstOfUser.get(one.userId) ?? { id, asked: one };
        firstOfUser.set(one.userId, first);
        if (first.id !== id) {
          wrong.push(inOrder(first.asked, one));
        }
      }
    }
  }
  return wrong;
}

function inOrder(a: Asked, b: Asked): Asked[] {
  return a.line < b.line ? [a, b] : [b, a];
}
