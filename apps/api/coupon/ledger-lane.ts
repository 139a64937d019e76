import { GroupCommit, NotSentError } from '#admission/group-commit.ts';
import { ledgerFailure } from '#ledger/connection/ledger-failure.ts';
import { pauseFor } from '#platform/work/waiting.ts';
import { overloaded } from '../http/overload/overloaded.ts';
import { inAMoment, Problem } from '../http/problem/problem.ts';

const batchSizeMax = 500;
/** A query for five hundred takes some milliseconds; a store that stands still holds no more than these. */
const askedMax = 200;

/**
 * Questions about coupons without a gate, which nobody may wait for who asks about one that runs: they
 * share one connection to MySQL, as many as come together share a query, and what is more than that
 * can do is sent away.
 */
export class LedgerLane<Item, Result> {
  private readonly trips: GroupCommit<0, Item, Result>;
  private asked = 0;

  /** `run` answers with one result per item, in order. */
  constructor(
    run: (items: Item[]) => Promise<Result[]>,
    private readonly waitMaxMs: number,
  ) {
    this.trips = new GroupCommit((_, items) => run(items), {
      batchSizeMax,
      inFlightMax: 1,
      waitMaxMs,
    });
  }

  /** Answers within `waitMaxMs`, or throws OVERLOADED; UNAVAILABLE while MySQL is away. */
  async ask(item: Item): Promise<Result> {
    if (this.asked >= askedMax) {
      throw overloaded({ cause: 'ledger_lane' });
    }
    this.asked += 1;
    try {
      return await Promise.race([this.trips.add(0, item), this.late()]);
    } catch (error) {
      throw toProblem(error);
    } finally {
      this.asked -= 1;
    }
  }

  private async late(): Promise<never> {
    await pauseFor(this.waitMaxMs);
    throw overloaded({ cause: 'ledger_lane' });
  }
}

function toProblem(error: unknown): unknown {
  if (error instanceof NotSentError) {
    return overloaded({ cause: 'ledger_lane', error });
  }
  const failure = ledgerFailure(error);
  if (failure === undefined) {
    return error;
  }
  const detail = 'This coupon is not on sale, and cannot be looked up at the moment.';
  return new Problem('UNAVAILABLE', { detail, retryAfterSeconds: inAMoment() }, failure);
}
