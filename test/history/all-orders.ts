import type { CouponHistory } from '#audit/history/coupon-history.ts';
import type { SequentialCoupon, Step } from './sequential-coupon.ts';
import { take } from './sequential-coupon.ts';

interface Operation {
  step: Step;
  calledAt: number;
  returnedAt: number;
}

/**
 * Whether any order of all that was asked makes every answer right: tries them all, as Wing and Gong
 * do it ("Testing and verifying concurrent objects"), each remainder once for each state (Lowe). For
 * at most some twenty requests.
 */
export function isAnyOrderRight(history: CouponHistory): boolean {
  const operations = operationsOf(history);
  const hopeless = new Set<string>();
  const search = (left: readonly number[], coupon: SequentialCoupon): boolean => {
    if (left.length === 0) {
      return true;
    }
    const key = `${left.join()} ${keyOf(coupon)}`;
    if (hopeless.has(key)) {
      return false;
    }
    const firstReturn = Math.min(...left.map((i) => operations[i]!.returnedAt));
    for (const i of left) {
      const { step, calledAt } = operations[i]!;
      const next = calledAt <= firstReturn ? take(coupon, step) : [];
      const others = left.filter((other) => other !== i);
      if (next.some((after) => search(others, after))) {
        return true;
      }
    }
    hopeless.add(key);
    return false;
  };
  return search([...operations.keys()], {
    totals: [],
    states: [],
    holders: new Map(),
    owners: new Map(),
    mayHold: new Set(),
  });
}

/** What happens at one moment is an operation of no length. */
export function operationsOf({ asked, changed }: CouponHistory): Operation[] {
  return [
    ...asked.map(({ userId, told, calledAt, returnedAt }) => ({
      step: { kind: 'asked' as const, userId, told },
      calledAt,
      returnedAt: told.kind === 'unknown' ? Infinity : returnedAt,
    })),
    ...changed.flatMap(({ calledAt, returnedAt, total, state }) => {
      const terms = {
        ...(total === undefined ? {} : { total }),
        ...(state === undefined ? {} : { state }),
      };
      return [
        { step: { kind: 'change begins' as const, ...terms }, calledAt, returnedAt: calledAt },
        { step: { kind: 'change ends' as const, ...terms }, calledAt: returnedAt, returnedAt },
      ];
    }),
  ];
}

function keyOf({ totals, states, holders, owners, mayHold }: SequentialCoupon): string {
  const sets = [holders.entries(), owners.entries(), mayHold].map((all) =>
    Array.from<unknown, string>(all, (one) => JSON.stringify(one)).toSorted(byText),
  );
  return JSON.stringify([totals, states, ...sets]);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
