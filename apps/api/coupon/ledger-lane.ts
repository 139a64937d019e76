import { GroupCommit } from '#admission/group-commit.ts';
import { ledgerFailure } from '#ledger/connection/ledger-failure.ts';
import { pauseFor } from '#platform/work/waiting.ts';
import { overloaded, overloadedIfNotSent } from '../http/overload/overloaded.ts';
import { inAMoment, Problem } from '../http/problem/problem.ts';

const batchSizeMax = 500;
/** A query for five hundred takes some milliseconds; a store that stands still holds no more than these. */
const askedMax = 200;

/** Two trips: each changes up to five hundred, and who is not changed in time waits in vain. */
const changesMax = 1_000;

/**
 * What is asked of MySQL, or changed there, and must not hold up anybody else: it shares one connection,
 * as many as come together share a query, and what is more than that can do is sent away.
 */
export class LedgerLane<Item, Result> {
  private readonly trips: GroupCommit<0, Item, Result>;
  private asked = 0;

  /** `run` answers with one result per item, in order. */
  constructor(
    run: (items: Item[]) => Promise<Result[]>,
    private readonly waitMaxMs: number,
    private readonly kind: 'question' | 'change' = 'question',
  ) {
    this.trips = new GroupCommit((_, items) => run(items), {
      batchSizeMax,
      inFlightMax: 1,
      waitMaxMs,
    });
  }

  /**
   * A question is answered within `waitMaxMs`, or throws OVERLOADED; a change that was sent in that time
   * is waited for. Throws UNAVAILABLE while MySQL is away.
   */
  async ask(item: Item): Promise<Result> {
    if (this.asked >= (this.kind === 'question' ? askedMax : changesMax)) {
      throw overloaded({ cause: 'ledger_lane' });
    }
    this.asked += 1;
    try {
      const trip = this.trips.add(0, item);
      return await (this.kind === 'question' ? Promise.race([trip, this.late()]) : trip);
    } catch (error) {
      throw toProblem(error, unavailable[this.kind]);
    } finally {
      this.asked -= 1;
    }
  }

  private async late(): Promise<never> {
    await pauseFor(this.waitMaxMs);
    throw overloaded({ cause: 'ledger_lane' });
  }
}

const unavailable = {
  question: 'This coupon is not on sale, and cannot be looked up at the moment.',
  change: 'It is not known whether this was done. Send the same request again.',
};

function toProblem(error: unknown, detail: string): unknown {
  const failure = ledgerFailure(error);
  if (failure === undefined) {
    return overloadedIfNotSent(error, 'ledger_lane');
  }
  return new Problem('UNAVAILABLE', { detail, retryAfterSeconds: inAMoment() }, failure);
}
