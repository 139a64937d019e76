import type { Need } from './recovery-order.ts';
import { byNeed, isOver } from './recovery-order.ts';

const lanes = 8;
/** One with so many holders takes a lane for a second or more. */
const bigFrom = 50_000;
/** Of the lanes, those that big ones may take; and of these, those that big ones may take that are over. */
const bigLanes = 4;
const bigOverLanes = 1;

export interface Rebuildable {
  need: Need;
  /** How many holders there are to be staged. */
  holders: number;
}

/**
 * Works on eight at once, the most needed of those that are ready first. Big ones leave lanes to the
 * small ones, and big ones that are over leave lanes to those that sell.
 */
export class RecoveryLanes<One extends Rebuildable> {
  private ready: One[] = [];
  private readonly inWork = new Map<One, Promise<void>>();

  /** `work` never rejects. */
  constructor(private readonly work: (one: One) => Promise<void>) {}

  add(ones: readonly One[]): void {
    if (ones.length > 0) {
      this.ready.push(...ones);
      this.ready.sort((a, b) => byNeed(a.need, b.need));
      this.fill();
    }
  }

  /** Begins nothing more, and resolves when what is in work has ended. */
  async drain(): Promise<void> {
    this.ready = [];
    await Promise.all(this.inWork.values());
  }

  private fill(): void {
    while (this.inWork.size < lanes) {
      const next = this.ready.findIndex((one) => this.mayBegin(one));
      if (next === -1) {
        return;
      }
      const [one] = this.ready.splice(next, 1) as [One];
      const ended = this.work(one).finally(() => {
        this.inWork.delete(one);
        this.fill();
      });
      this.inWork.set(one, ended);
    }
  }

  private mayBegin(one: One): boolean {
    const big = [...this.inWork.keys()].filter(isBig);
    const bigOver = big.filter(({ need }) => isOver(need));
    return (
      !isBig(one) || (big.length < bigLanes && (!isOver(one.need) || bigOver.length < bigOverLanes))
    );
  }
}

function isBig({ holders }: Rebuildable): boolean {
  return holders >= bigFrom;
}
