import type { Asked } from './coupon-history.ts';
import type { Timeline } from './timeline.ts';

/** A user of one coupon, and when a unit became his, as far as his own answers tell. */
export interface Taker {
  userId: string;
  /** Where he was first told his id; without one he may hold a unit, but was never promised it. */
  accepted: Asked | undefined;
  /** The unit became his in a slot from `first` to `last`. */
  first: number;
  last: number;
  /** Refusals that say SOLD_OUT and are not explained yet: he held nothing when they were made. */
  unexplained: Set<Asked>;
  /** Since a request of his ended without an answer that settles it, he may hold a unit. */
  mayHold: boolean;
  holds: boolean;
}

/** What is wrong, in words, and where. */
export interface Impossible {
  line: number;
  words: string;
}

/** Gathers what each user was told; tells `onWrong` of answers to one user that exclude each other. */
export function findTakers(
  asked: Asked[],
  timeline: Timeline,
  onWrong: (impossible: Impossible) => void,
): Map<string, Taker> {
  const takers = new Map<string, Taker>();
  for (const [userId, ofUser] of Map.groupBy(asked, (one) => one.userId)) {
    takers.set(userId, toTaker(userId, ofUser, timeline, onWrong));
  }
  return takers;
}

function toTaker(
  userId: string,
  asked: Asked[],
  timeline: Timeline,
  onWrong: (impossible: Impossible) => void,
): Taker {
  let begun = Infinity;
  let accepted: Asked | undefined;
  let lastRefusal: { slot: number; asked: Asked } | undefined;
  for (const one of asked) {
    const { first, last } = timeline.of(one);
    const { kind } = one.told;
    if (kind === 'accepted' || kind === 'unknown') {
      begun = Math.min(begun, first);
      if (kind === 'accepted' && (accepted === undefined || last < timeline.of(accepted).last)) {
        accepted = one;
      }
      continue;
    }
    const slot = kind === 'paused' ? timeline.firstPausedFrom(first) : first;
    if (slot > last) {
      onWrong({ line: one.line, words: `${said(one)} PAUSED, and it never was in that time` });
    } else if (slot > (lastRefusal?.slot ?? -1)) {
      lastRefusal = { slot, asked: one };
    }
  }
  const last = accepted === undefined ? Infinity : timeline.of(accepted).last;
  const first = Math.max(begun, lastRefusal?.slot ?? 0);
  const taker = { userId, accepted, unexplained: new Set<Asked>(), mayHold: false, holds: false };
  if (accepted === undefined) {
    return { ...taker, first, last };
  }
  const open = timeline.lastOpenUpTo(last);
  if (lastRefusal !== undefined && lastRefusal.slot > last) {
    const { line, told } = lastRefusal.asked;
    const code = told.kind.toUpperCase();
    onWrong({
      line,
      words: `${said(lastRefusal.asked)} ${code}, and had an id (line ${accepted.line})`,
    });
    return { ...taker, first: last, last };
  }
  if (open < first) {
    onWrong({
      line: accepted.line,
      words: `${said(accepted)} yes, and the coupon was paused or closed`,
    });
    return { ...taker, first: last, last };
  }
  return { ...taker, first, last: open };
}

/** The beginning of a sentence. */
export function said({ userId }: Asked): string {
  return `user ${JSON.stringify(userId)} was told`;
}
