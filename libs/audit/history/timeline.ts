import type { Asked, Changed, CouponHistory } from './coupon-history.ts';
import { TermsInTime } from './possible-terms.ts';

/** Where an interval begins and ends: it may have taken effect in the slots from `first` to `last`. */
export interface Slots {
  first: number;
  last: number;
}

type Moment = { at: number; isEnd: boolean } & ({ asked: Asked } | { changed: Changed });

/**
 * A history as a row of slots: one after each call and each return, in the order of time. Of two at
 * the very same time the call is first, so they count as concurrent.
 */
export class Timeline {
  /** The request that is called, or has returned, where a slot begins; none where a change does. */
  readonly askedAt: (Asked | undefined)[];
  readonly isEnd: boolean[];
  readonly totalMax: Float64Array;
  readonly totalMin: Float64Array;
  private readonly slots = new Map<Asked, Slots>();
  private readonly nextOpen: Int32Array;
  private readonly lastOpen: Int32Array;
  private readonly nextPaused: Int32Array;

  constructor({ asked, changed }: CouponHistory) {
    const moments = [...asked.flatMap(endsOf), ...changed.flatMap(endsOfChange)].sort(inTime);
    const { length } = moments;
    this.askedAt = moments.map((moment) => ('asked' in moment ? moment.asked : undefined));
    this.isEnd = moments.map(({ isEnd }) => isEnd);
    this.totalMax = new Float64Array(length);
    this.totalMin = new Float64Array(length);
    this.nextOpen = new Int32Array(length + 1).fill(length);
    this.nextPaused = new Int32Array(length + 1).fill(length);
    this.lastOpen = new Int32Array(length).fill(-1);
    this.readTerms(moments);
  }

  get length(): number {
    return this.askedAt.length;
  }

  of(asked: Asked): Slots {
    return this.slots.get(asked)!;
  }

  isOpen(slot: number): boolean {
    return this.lastOpen[slot] === slot;
  }

  /** The last slot up to this one in which the coupon may have been open; -1 when there is none. */
  lastOpenUpTo(slot: number): number {
    return slot < 0 ? -1 : this.lastOpen[slot]!;
  }

  /** The first slot from this one on in which it may have been paused; `length` when there is none. */
  firstPausedFrom(slot: number): number {
    return this.nextPaused[slot]!;
  }

  /** Whether it may have been open at some moment of the interval. */
  isEverOpen({ first, last }: Slots): boolean {
    return this.nextOpen[first]! <= last;
  }

  private readTerms(moments: Moment[]): void {
    const terms = new TermsInTime();
    let now = terms.now();
    moments.forEach((moment, slot) => {
      if ('changed' in moment) {
        terms[moment.isEnd ? 'end' : 'begin'](moment.changed);
        now = terms.now();
      } else if (moment.isEnd) {
        this.slots.get(moment.asked)!.last = slot - 1;
      } else {
        this.slots.set(moment.asked, { first: slot, last: slot });
      }
      this.totalMax[slot] = now.totalMax;
      this.totalMin[slot] = now.totalMin;
      this.lastOpen[slot] = now.states.has('open') ? slot : (this.lastOpen[slot - 1] ?? -1);
      this.nextPaused[slot] = now.states.has('paused') ? slot : -1;
    });
    for (let slot = moments.length - 1; slot >= 0; slot -= 1) {
      this.nextOpen[slot] = this.isOpen(slot) ? slot : this.nextOpen[slot + 1]!;
      if (this.nextPaused[slot] === -1) {
        this.nextPaused[slot] = this.nextPaused[slot + 1]!;
      }
    }
  }
}

function endsOf(asked: Asked): Moment[] {
  return [
    { at: asked.calledAt, isEnd: false, asked },
    { at: asked.returnedAt, isEnd: true, asked },
  ];
}

/** One that may still be made never ends. */
function endsOfChange(changed: Changed): Moment[] {
  const begin = { at: changed.calledAt, isEnd: false, changed };
  return changed.returnedAt === Infinity
    ? [begin]
    : [begin, { at: changed.returnedAt, isEnd: true, changed }];
}

function inTime(a: Moment, b: Moment): number {
  return a.at === b.at ? Number(a.isEnd) - Number(b.isEnd) : a.at - b.at;
}
