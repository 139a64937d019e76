import type { CouponState } from '#coupon/coupon.ts';
import type { Told } from '#audit/history/coupon-history.ts';

/** A coupon without any concurrency: what `findImpossible` says in words, as steps. */
export interface SequentialCoupon {
  totals: readonly number[];
  states: readonly CouponState[];
  /** The id of each user who has one; `undefined` until he is told. */
  holders: ReadonlyMap<string, string | undefined>;
  /** Whose each id is that anybody was told, also without a promise. */
  owners: ReadonlyMap<string, string>;
  /** Who may hold a unit, and was never told so. */
  mayHold: ReadonlySet<string>;
}

interface Asking {
  kind: 'asked';
  userId: string;
  told: Told;
}

export type Step =
  Asking | { kind: 'change begins' | 'change ends'; total?: number; state?: CouponState };

/** What the coupon may be after a step; nothing where no coupon could have given that answer. */
export function take(coupon: SequentialCoupon, step: Step): SequentialCoupon[] {
  if (step.kind === 'asked') {
    return isOwn(coupon, step) ? answer(coupon, step.userId, step.told) : [];
  }
  return change(coupon, step.kind === 'change ends', step.total, step.state);
}

/** An id that anybody was told is nobody else's, also where nothing was promised. */
function isOwn({ owners }: SequentialCoupon, { userId, told }: Asking): boolean {
  const id = 'issuanceId' in told ? told.issuanceId : undefined;
  return id === undefined || (owners.get(id) ?? userId) === userId;
}

function answer(coupon: SequentialCoupon, userId: string, told: Told): SequentialCoupon[] {
  const { totals, states, holders, mayHold } = coupon;
  const isHolder = holders.has(userId);
  const isOpen = states.includes('open');
  const isFree = !isHolder && isOpen && holders.size < Math.max(...totals);
  switch (told.kind) {
    case 'unknown': {
      const asked = withOwner({ ...coupon, mayHold: new Set([...mayHold, userId]) }, userId, told);
      // He may have been given a unit for good, under an id that he is told later.
      return isFree ? [asked, withHolder(asked, userId, undefined)] : [asked];
    }
    case 'accepted': {
      const id = holders.get(userId);
      return (isHolder ? id === undefined || id === told.issuanceId : isFree)
        ? [withOwner(withHolder(coupon, userId, told.issuanceId), userId, told)]
        : [];
    }
    case 'sold_out': {
      const others = new Set([...holders.keys(), ...mayHold].filter((other) => other !== userId));
      return !isHolder && isOpen && others.size >= Math.min(...totals) ? [coupon] : [];
    }
    case 'paused':
      return !isHolder && states.includes('paused') ? [coupon] : [];
    case 'not_now':
      return isHolder ? [] : [coupon];
  }
}

function withHolder(
  coupon: SequentialCoupon,
  userId: string,
  id: string | undefined,
): SequentialCoupon {
  return { ...coupon, holders: new Map([...coupon.holders, [userId, id]]) };
}

function withOwner(
  coupon: SequentialCoupon,
  userId: string,
  told: { issuanceId?: string },
): SequentialCoupon {
  return told.issuanceId === undefined
    ? coupon
    : { ...coupon, owners: new Map([...coupon.owners, [told.issuanceId, userId]]) };
}

function change(
  coupon: SequentialCoupon,
  isEnd: boolean,
  total = coupon.totals.at(-1)!,
  state = coupon.states.at(-1)!,
): SequentialCoupon[] {
  if (!isEnd) {
    return [{ ...coupon, totals: [...coupon.totals, total], states: [...coupon.states, state] }];
  }
  return coupon.holders.size > total ? [] : [{ ...coupon, totals: [total], states: [state] }];
}
