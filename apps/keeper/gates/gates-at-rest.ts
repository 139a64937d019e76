import type { Coupon } from '#coupon/coupon.ts';
import { sellingState } from '#coupon/coupon.ts';
import type { GateInspection } from '#gate/gate-replies.ts';

/** What a survey goes by. */
export interface Moment {
  /** By the gate's clock. */
  takenAt: number;
  /** Of Redis; see `Gate.history`. */
  history: string;
  /** How many gates of ended coupons that are shut are looked at again. */
  shutLooksMax: number;
}

/** The gate of a coupon that has ended, as it was looked at last. */
interface Seen {
  gate: GateInspection;
  version: number;
  epoch: number;
  lookedAt: number;
}

/** Keys may get lost also in a Redis that lives on: nothing rests unseen for longer than it must. */
const lookAgainMs = 5_000;
/** Of each survey: what looks at gates at rest cost is bounded, however many there are. */
const restLooksMax = 50;

/**
 * Spares a survey the gates of coupons that have ended, with nothing pending. Why one that was seen so
 * need not be looked at for a while: it admits nobody, so nothing of it comes to be pending, as long as
 *
 * - its Redis has the same history: else it is shut, and that is known without a look;
 * - its coupon has the same version and epoch in MySQL, where each change of it and each recovery
 *   begins, and the clock of the gate says that it has ended.
 *
 * One that loses keys in a Redis that lives on is seen when its turn comes. When any gate is found
 * shut that was open, all are looked at again at once.
 */
export class GatesAtRest {
  /** By coupon, the one looked at longest ago first. */
  private readonly seen = new Map<number, Seen>();
  private readonly wasOpen = new Set<number>();
  private history: string | undefined;

  /** Which gates must be looked at, running ones first, and what is known of the others. */
  divide(
    coupons: readonly Coupon[],
    moment: Moment,
  ): { known: Map<number, GateInspection>; toLookAt: Coupon[] } {
    if (moment.history !== this.history) {
      this.history = moment.history;
      this.shutAll();
    }
    const due = this.due(moment.shutLooksMax);
    const known = new Map<number, GateInspection>();
    const running: Coupon[] = [];
    const ended: Coupon[] = [];
    for (const coupon of coupons) {
      const seen = this.seen.get(coupon.id);
      if (!hasEnded(coupon, moment.takenAt)) {
        running.push(coupon);
      } else if (seen === undefined || due.has(coupon.id) || !isAsSeen(coupon, seen)) {
        ended.push(coupon);
      } else {
        known.set(coupon.id, seen.gate);
      }
    }
    return { known, toLookAt: [...running, ...ended] };
  }

  /**
   * What the looks have shown; `gates` has what was known of the others, too. Returns which gates are
   * shut that were open.
   */
  learn(
    lookedAt: readonly Coupon[],
    gates: ReadonlyMap<number, GateInspection>,
    takenAt: number,
  ): number[] {
    const lost: number[] = [];
    for (const coupon of lookedAt) {
      const { id, version, epoch } = coupon;
      const gate = gates.get(id)!;
      // Behind the others: it was looked at last.
      this.seen.delete(id);
      if (hasEnded(coupon, takenAt) && (isShut(gate) || isAtRest(coupon, gate))) {
        this.seen.set(id, { gate, version, epoch, lookedAt: performance.now() });
      }
      if (!isShut(gate)) {
        this.wasOpen.add(id);
      } else if (this.wasOpen.delete(id)) {
        lost.push(id);
      }
    }
    if (lost.length > 0) {
      this.seen.clear();
    }
    this.forgetOthers(gates);
    return lost;
  }

  /** Another Redis, or one with other data: every gate is shut until a recovery has opened it. */
  private shutAll(): void {
    for (const seen of this.seen.values()) {
      seen.gate = { ...seen.gate, gate: 'fenced' };
    }
    this.wasOpen.clear();
  }

  private due(shutLooksMax: number): ReadonlySet<number> {
    const due = new Set<number>();
    const before = performance.now() - lookAgainMs;
    let [restLooks, shutLooks] = [0, 0];
    for (const [id, { gate, lookedAt }] of this.seen) {
      if (isShut(gate)) {
        shutLooks += 1;
        if (shutLooks <= shutLooksMax) {
          due.add(id);
        }
      } else if (lookedAt < before && restLooks < restLooksMax) {
        restLooks += 1;
        due.add(id);
      }
    }
    return due;
  }

  /** Those that were archived, or whose rows are gone. */
  private forgetOthers(live: ReadonlyMap<number, unknown>): void {
    for (const known of [this.seen, this.wasOpen]) {
      for (const id of known.keys()) {
        if (!live.has(id)) {
          known.delete(id);
        }
      }
    }
  }
}

/** Whether a coupon is at rest: nothing happens at its gate, and nothing is to be done about it. */
export function isAtRest(coupon: Coupon, gate: GateInspection): boolean {
  return (
    hasEnded(coupon, gate.now) &&
    !isShut(gate) &&
    gate.pending === 0 &&
    // Its terms are those that MySQL has, so what has ended there has ended at the gate.
    gate.version === coupon.version &&
    gate.epoch >= coupon.epoch
  );
}

/** For somebody new, and for good unless it is changed; `now` by the gate's clock. */
export function hasEnded(coupon: Coupon, now: number): boolean {
  return sellingState(coupon, 0, now) === 'CLOSED';
}

function isAsSeen({ version, epoch }: Coupon, seen: Seen): boolean {
  return version === seen.version && epoch === seen.epoch;
}

function isShut({ gate }: GateInspection): boolean {
  return gate !== 'open';
}
