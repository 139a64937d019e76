import type { Asked, CouponHistory } from './coupon-history.ts';
import { EarliestFirst } from './earliest-first.ts';
import { RangeMinimum } from './range-minimum.ts';
import type { Impossible, Taker } from './takers.ts';
import { findTakers, said } from './takers.ts';
import { Timeline } from './timeline.ts';

/**
 * Whether what the clients of one coupon were told is possible: whether each request can be given one
 * moment between its call and its return, so that in the order of these moments every answer is the
 * one that a coupon without any concurrency would have given. That coupon is:
 *
 * - It knows who holds which id, for ever, and who may hold a unit besides: whoever has a request
 *   behind him whose outcome nobody knows, from some moment after its call on.
 * - accepted: he holds that id already; or it is open, fewer hold an id than the total, and he does
 *   from now on.
 * - SOLD_OUT: he holds no id, it is open, and those who hold an id and the others who may hold a unit
 *   are as many as the total at least.
 * - PAUSED: he holds no id, and it is paused. NOT_OPEN, CLOSED: he holds no id.
 * - While a manager changes it, the terms before and after the change may both count.
 *
 * This is linearizability (Herlihy and Wing), checked for each coupon by itself, as Horn and Kroening
 * do it ("Faster linearizability checking via P-compositionality"). Wing and Gong, and Lowe, search all
 * orders; here no search is needed, since nobody who was told an id ever loses it: the set of holders
 * only grows, and every rule but the total asks for it to be large. So each unit is given as early as
 * the total allows, those first who were answered first. O(n log n).
 *
 * What it leaves out: a unit that came back must have been one of an unknown outcome (what is refused
 * in the log, or void after a recovery, was never acknowledged), and such a user counts as one who may
 * hold a unit ever after, so a run with many of them proves little about SOLD_OUT; the times at which a
 * coupon opens and closes; and the order in which clients came.
 */
export function findImpossible(history: CouponHistory): Impossible[] {
  return new Replay(history).run().sort((a, b) => a.line - b.line);
}

class Replay {
  private readonly timeline: Timeline;
  private readonly takers: Map<string, Taker>;
  private readonly impossible: Impossible[] = [];
  /** For each slot, how many more could hold an id in it, were all given theirs as late as possible. */
  private readonly spare: RangeMinimum;
  /** Who can be given his unit now, the most urgent first. */
  private readonly ready = new EarliestFirst<Taker>(({ last }) => last);
  private readonly byFirst: Taker[];
  private readonly byLast: Taker[];
  /** SOLD_OUT, of whom may hold a unit himself, and of others: as long as units seem to be free. */
  private readonly unexplained = { ofMayHold: new Set<Asked>(), ofOthers: new Set<Asked>() };
  private held = 0;
  private arrived = 0;

  constructor({ couponId, ...rest }: CouponHistory) {
    this.timeline = new Timeline({ couponId, ...rest });
    const note = (one: Impossible): void => void this.impossible.push(one);
    this.takers = findTakers(rest.asked, this.timeline, note);
    this.spare = new RangeMinimum(this.timeline.totalMax);
    const accepted = [...this.takers.values()].filter((taker) => taker.accepted !== undefined);
    this.byLast = accepted.sort((a, b) => a.last - b.last).filter((taker) => this.fits(taker));
    this.byFirst = this.byLast.toSorted((a, b) => a.first - b.first);
  }

  run(): Impossible[] {
    let due = 0;
    for (let slot = 0; slot < this.timeline.length; slot += 1) {
      this.enter(slot);
      const dueNow: Taker[] = [];
      for (; this.byLast[due]?.last === slot; due += 1) {
        dueNow.push(this.byLast[due]!);
      }
      this.settle(slot, dueNow);
    }
    return this.impossible;
  }

  /** Whether there is a unit for him at the very latest; the total is exceeded when there is none. */
  private fits(taker: Taker): boolean {
    const { last, accepted } = taker;
    const end = this.timeline.length - 1;
    if (this.spare.min(last, end) < 1) {
      const words = `${said(accepted!)} yes, and no unit was left`;
      this.impossible.push({ line: accepted!.line, words });
      taker.accepted = undefined;
      return false;
    }
    this.spare.add(last, end, -1);
    return true;
  }

  private enter(slot: number): void {
    const asked = this.timeline.askedAt[slot];
    if (asked !== undefined) {
      const taker = this.takers.get(asked.userId)!;
      if (asked.told.kind === 'unknown' && !this.timeline.isEnd[slot]) {
        this.mayHoldFromNow(taker);
      } else if (asked.told.kind === 'sold_out') {
        this.enterSoldOut(asked, taker, slot);
      }
    }
    for (; (this.byFirst[this.arrived]?.first ?? Infinity) <= slot; this.arrived += 1) {
      this.offer(this.byFirst[this.arrived]!, slot);
    }
  }

  private mayHoldFromNow(taker: Taker): void {
    if (!taker.mayHold) {
      taker.mayHold = true;
      this.held += Number(!taker.holds);
      for (const asked of taker.unexplained) {
        this.unexplained.ofOthers.delete(asked);
        this.unexplained.ofMayHold.add(asked);
      }
    }
  }

  private enterSoldOut(asked: Asked, taker: Taker, slot: number): void {
    if (!this.timeline.isEnd[slot]) {
      // Of a holder it is wrong in any order, and was told.
      if (!taker.holds && slot <= taker.last) {
        taker.unexplained.add(asked);
        this.poolOf(taker).add(asked);
      }
    } else if (taker.unexplained.has(asked)) {
      this.giveUp(asked, taker, slot);
    }
  }

  private poolOf({ mayHold }: Taker): Set<Asked> {
    return mayHold ? this.unexplained.ofMayHold : this.unexplained.ofOthers;
  }

  /** No moment of the call explains it. */
  private giveUp(asked: Asked, taker: Taker, slot: number): void {
    const held = this.held - Number(taker.mayHold && !taker.holds);
    const next = this.byFirst[this.arrived];
    const then =
      next === undefined ? '' : `; user ${JSON.stringify(next.userId)} got one after that`;
    const why = this.timeline.isEverOpen(this.timeline.of(asked))
      ? `at most ${held} of ${this.timeline.totalMin[this.timeline.of(asked).last]} units can have been held${then}`
      : 'the coupon was paused or closed';
    this.impossible.push({ line: asked.line, words: `${said(asked)} SOLD_OUT, and ${why}` });
    this.explain(asked, taker, slot);
  }

  private explain(asked: Asked, taker: Taker, slot: number): void {
    this.poolOf(taker).delete(asked);
    taker.unexplained.delete(asked);
    this.offer(taker, slot);
  }

  /** He may be given his unit before he must: of whom may hold one already nothing is gained by it. */
  private offer(taker: Taker, slot: number): void {
    const isFree = taker.unexplained.size === 0 && !taker.holds && !taker.mayHold;
    if (isFree && taker.accepted !== undefined && taker.first <= slot && slot <= taker.last) {
      this.ready.add(taker);
    }
  }

  /** Gives units and explains refusals as long as the one leads to the other. */
  private settle(slot: number, due: Taker[]): void {
    if (!this.timeline.isOpen(slot) && due.length === 0) {
      return;
    }
    while (this.explainAll(slot) || this.giveEarly(slot) || this.giveDue(due));
    for (const taker of due.filter(({ holds }) => !holds)) {
      taker.unexplained.forEach((asked) => this.giveUp(asked, taker, slot));
      this.settle(slot, due);
    }
  }

  private explainAll(slot: number): boolean {
    const total = this.timeline.totalMin[slot]!;
    const { ofMayHold, ofOthers } = this.unexplained;
    const explained = [
      ...(this.held >= total ? ofOthers : []),
      ...(this.held - 1 >= total ? ofMayHold : []),
    ];
    explained.forEach((asked) => this.explain(asked, this.takers.get(asked.userId)!, slot));
    return explained.length > 0;
  }

  private giveEarly(slot: number): boolean {
    for (let taker = this.ready.first(); taker !== undefined; taker = this.ready.first()) {
      const isFree = taker.unexplained.size === 0 && !taker.holds && !taker.mayHold;
      if (isFree && this.spare.min(slot, taker.last - 1) < 1) {
        return false;
      }
      this.ready.removeFirst();
      if (isFree) {
        this.spare.add(slot, taker.last - 1, -1);
        this.give(taker);
        return true;
      }
    }
    return false;
  }

  private giveDue(due: Taker[]): boolean {
    const free = due.filter(({ holds, unexplained }) => !holds && unexplained.size === 0);
    free.forEach((taker) => this.give(taker));
    return free.length > 0;
  }

  private give(taker: Taker): void {
    taker.holds = true;
    this.held += Number(!taker.mayHold);
  }
}
