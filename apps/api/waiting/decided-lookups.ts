import { GroupCommit } from '#admission/group-commit.ts';
import type { RecordedIssuance } from '#coupon/issuance.ts';
import { redisFailure } from '#gate/checks/redis-failure.ts';
import type { StatusHints } from '#gate/status-hints.ts';
import type { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import type { Failures } from '#platform/failures/failures.ts';
import { overloadedIfNotSent } from '../http/overload/overloaded.ts';

/** A query of 500 by their primary key takes some milliseconds. */
export const lookupSizeMax = 500;
const queriesMax = 2;

/**
 * What MySQL has decided. Whoever asks while a query is out shares the next one, so that a crowd of
 * polls and waits is a few queries and not one each.
 */
export class DecidedLookups {
  private readonly queries: GroupCommit<0, string, RecordedIssuance | undefined>;

  /** `waitMaxMs`: longest that somebody waits for a query to begin. */
  constructor(
    private readonly hints: StatusHints,
    ledger: IssuanceLedger,
    private readonly failures: Failures,
    waitMaxMs: number,
  ) {
    this.queries = new GroupCommit((_, issuanceIds) => ledger.findStatuses(issuanceIds), {
      batchSizeMax: lookupSizeMax,
      inFlightMax: queriesMax,
      waitMaxMs,
    });
  }

  /** From MySQL. Throws OVERLOADED when no query began in time; rejects when MySQL is away. */
  async find(issuanceId: string): Promise<RecordedIssuance | undefined> {
    try {
      return await this.queries.add(0, issuanceId);
    } catch (error) {
      throw overloadedIfNotSent(error, 'ledger_lane');
    }
  }

  /** From MySQL, at most `lookupSizeMax`: those of them that are decided. */
  async findAll(issuanceIds: readonly string[]): Promise<RecordedIssuance[]> {
    const found = await Promise.all(issuanceIds.map((id) => this.find(id)));
    return found.filter((decided) => decided !== undefined);
  }

  /**
   * Those of them that Redis knows to be decided; none while it is away. For who has waited for that:
   * so it was then, whatever became of it since.
   */
  async hinted(issuanceIds: readonly string[]): Promise<RecordedIssuance[]> {
    try {
      const hints = await this.hints.readAll(issuanceIds);
      return [...hints].map(([issuanceId, hint]) => ({ issuanceId, ...hint }));
    } catch (error) {
      this.failures.note('HINT_LOST', redisFailure(error), () => ({ hints: issuanceIds.length }));
      return [];
    }
  }
}
