import type { CouponState } from '#coupon/coupon.ts';
import type { Asked, Changed, CouponHistory, Told } from '#audit/history/coupon-history.ts';
import type { Random } from '../model/search/random.ts';

type Effect =
  | { at: number; asked: Asked; isLost: boolean }
  | { at: number; changed: Changed }
  | { at: number; isRecovery: true };

const users = ['ann', 'bob', 'carl', 'dora', 'eve'];

/**
 * What the clients of a coupon that works are told: each request takes effect at some moment between
 * its call and its return, or later where its answer got lost, or never; a recovery takes units back
 * that were never confirmed. Small: at most `askedMax` requests, up to two changes.
 */
export function aRightHistory(random: Random, askedMax = 9): CouponHistory {
  const total = random.below(4);
  const length = 1_000;
  const effects: Effect[] = [];
  const asked = Array.from({ length: 2 + random.below(askedMax - 1) }, (_, i): Asked => {
    const [calledAt, at, returnedAt] = momentsIn(random, 1, length, 60 + random.below(400));
    const isLost = random.below(4) === 0;
    const one: Asked = {
      line: i + 1,
      userId: users[random.below(users.length)]!,
      calledAt,
      returnedAt,
      told: { kind: 'unknown' },
    };
    if (!isLost || random.below(3) > 0) {
      const isLate = isLost && random.below(3) === 0;
      effects.push({ at: isLate ? returnedAt + random.below(length) : at, asked: one, isLost });
    }
    return one;
  });
  const changed: Changed[] = [{ line: 0, calledAt: 0, returnedAt: 0, total, state: 'open' }];
  for (let i = random.below(3), from = 1; i > 0; i -= 1) {
    const [calledAt, at, returnedAt] = momentsIn(random, from, from + 500, 200);
    const change = { line: 100 + i, calledAt, returnedAt, ...terms(random) };
    changed.push(change);
    effects.push({ at, changed: change });
    from += 500;
  }
  if (random.below(2) === 0) {
    effects.push({ at: random.below(length), isRecovery: true });
  }
  const coupon = new Coupon(total, random);
  const kept = effects.sort((a, b) => a.at - b.at).flatMap((effect) => coupon.apply(effect) ?? []);
  return inRanks({ couponId: 1, asked, changed: changed.filter((one) => !kept.includes(one)) });
}

function terms(random: Random): Pick<Changed, 'total' | 'state'> {
  return random.below(3) === 0
    ? { state: random.below(2) === 0 ? 'paused' : 'open' }
    : { total: random.below(5) };
}

function momentsIn(
  random: Random,
  from: number,
  to: number,
  most: number,
): [number, number, number] {
  const calledAt = from + random.next() * (to - from - most);
  const returnedAt = calledAt + random.next() * most;
  return [calledAt, calledAt + random.next() * (returnedAt - calledAt), returnedAt];
}

class Coupon {
  private state: CouponState = 'open';
  private readonly held = new Map<string, { id: string; isConfirmed: boolean }>();
  private ids = 0;

  constructor(
    private total: number,
    private readonly random: Random,
  ) {}

  /** Returns a change that was refused. */
  apply(effect: Effect): Changed | undefined {
    if ('isRecovery' in effect) {
      for (const [userId, { isConfirmed }] of this.held) {
        if (!isConfirmed && this.random.below(3) > 0) {
          this.held.delete(userId);
        }
      }
    } else if ('changed' in effect) {
      const { total = this.total, state = this.state } = effect.changed;
      if (total < this.held.size) {
        return effect.changed;
      }
      [this.total, this.state] = [total, state];
    } else {
      const told = this.answer(effect.asked.userId, effect.isLost);
      if (!effect.isLost) {
        effect.asked.told = told;
      } else if (told.kind === 'accepted' && this.random.below(2) === 0) {
        effect.asked.told = { kind: 'unknown', issuanceId: told.issuanceId };
      }
    }
    return undefined;
  }

  private answer(userId: string, isLost: boolean): Told {
    const known = this.held.get(userId);
    if (known === undefined && this.state === 'paused') {
      return { kind: 'paused' };
    }
    if (known === undefined && this.held.size >= this.total) {
      return { kind: 'sold_out' };
    }
    const holder = known ?? { id: `id-${(this.ids += 1)}`, isConfirmed: false };
    holder.isConfirmed ||= !isLost;
    this.held.set(userId, holder);
    return { kind: 'accepted', issuanceId: holder.id };
  }
}

/** Times as small whole numbers, each once: what was between two moments stays between them. */
function inRanks(history: CouponHistory): CouponHistory {
  const all = [...history.asked, ...history.changed];
  const order = all
    .flatMap((one) => (one.line === 0 ? [] : [one.calledAt, one.returnedAt]))
    .sort((a, b) => a - b);
  const ranks = new Map(order.map((at, i) => [at, i + 1]));
  const ranked = <One extends Asked | Changed>(one: One): One => ({
    ...one,
    calledAt: ranks.get(one.calledAt) ?? 0,
    returnedAt: ranks.get(one.returnedAt) ?? 0,
  });
  return { ...history, asked: history.asked.map(ranked), changed: history.changed.map(ranked) };
}

type Break = (history: CouponHistory, random: Random) => void;

/** What a bug would do to the answers. Not every one of them makes every history wrong. */
export const breaks: Readonly<Record<string, Break>> = {
  'two answers swapped': ({ asked }, random) => {
    const [a, b] = [pick(asked, random), pick(asked, random)];
    [a.told, b.told] = [b.told, a.told];
  },
  'a second id': ({ asked }, random) =>
    tell(asked, random, { kind: 'accepted', issuanceId: 'new' }),
  'the id of another': ({ asked }, random) => {
    const { told } = pick(asked, random);
    tell(asked, random, told.kind === 'accepted' ? told : { kind: 'accepted', issuanceId: 'id-1' });
  },
  'sold out too early': ({ asked }, random) => tell(asked, random, { kind: 'sold_out' }),
  'paused for one': ({ asked }, random) => tell(asked, random, { kind: 'paused' }),
  'a holder forgotten': ({ asked }, random) => tell(asked, random, { kind: 'not_now' }),
  'accepted late': ({ asked }, random) => {
    const last = asked.toSorted((a, b) => b.calledAt - a.calledAt)[0]!;
    last.told = { kind: 'accepted', issuanceId: `late-${random.below(2)}` };
  },
  'a unit dropped': ({ asked }, random) => {
    asked.splice(random.below(asked.length), 1);
  },
  'a unit less from the start': ({ changed }) => {
    changed[0]!.total = Math.max(0, changed[0]!.total! - 1);
  },
  'a unit more from the start': ({ changed }) => {
    changed[0]!.total = changed[0]!.total! + 1;
  },
  'a change that was not made': ({ changed }) => {
    changed.length = 1;
  },
  'an answer before its question could be decided': ({ asked }, random) => {
    const one = pick(asked, random);
    one.returnedAt = one.calledAt + 0.5;
  },
};

export function aBrokenHistory(random: Random, askedMax?: number): CouponHistory {
  const history = aRightHistory(random, askedMax);
  const names = Object.keys(breaks);
  for (let times = 1 + random.below(2); times > 0; times -= 1) {
    breaks[names[random.below(names.length)]!]!(history, random);
  }
  return history;
}

function pick(asked: Asked[], random: Random): Asked {
  return asked[random.below(asked.length)]!;
}

function tell(asked: Asked[], random: Random, told: Told): void {
  pick(asked, random).told = told;
}
