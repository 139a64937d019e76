import { Injectable } from '@nestjs/common';
import type { AssignOutcome } from '#admission/assign-coupon.ts';
import { AssignLimits } from '#admission/assign-coupon.ts';
import type { AssignRequest } from '#coupon/issuance-request.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { CouponCatalogue } from '../coupon/coupon-catalogue.ts';
import { CouponLookup } from '../coupon/coupon-lookup.ts';
import { LedgerLane } from '../coupon/ledger-lane.ts';
import { Problem } from '../http/problem/problem.ts';

/**
 * An assign that found no open gate: the coupon is being recovered, is archived, or does not exist.
 * MySQL has every issuance that was ever acknowledged of an archived one, so a holder gets his from
 * there; nobody new gets any, since only what has ended is archived.
 */
@Injectable()
export class AssignWithoutGate {
  private readonly holders: LedgerLane<AssignRequest, string | undefined>;

  constructor(
    private readonly catalogue: CouponCatalogue,
    private readonly lookup: CouponLookup,
    ledger: IssuanceLedger,
    { waitMaxMs }: AssignLimits,
  ) {
    this.holders = new LedgerLane((requests) => ledger.findHeld(requests), waitMaxMs);
  }

  /**
   * The outcome as it is where a gate answered, or there is one that a recovery will open. `absent` is
   * left for what does not exist.
   */
  async explain(request: AssignRequest, outcome: AssignOutcome): Promise<AssignOutcome> {
    const isWithoutGate =
      outcome.kind === 'absent' ||
      (outcome.kind === 'recovering' && outcome.issuanceId === undefined);
    if (!isWithoutGate) {
      return outcome;
    }
    const { couponId } = request;
    // What the gate said, or did not; of a coupon whose gate is missing, that a recovery is due.
    const { failure } =
      outcome.kind === 'recovering' ? outcome : { failure: { cause: 'gate_shut' } as const };
    if (!this.catalogue.isLoaded || this.catalogue.find(couponId) !== undefined) {
      return { kind: 'recovering', failure };
    }
    try {
      const coupon = await this.lookup.find(couponId);
      if (coupon === undefined) {
        return { kind: 'absent' };
      }
      const isArchived = coupon.archivedAt !== null;
      return isArchived ? await this.repeat(request) : { kind: 'recovering', failure };
    } catch (error) {
      return outcomeOf(error);
    }
  }

  private async repeat(request: AssignRequest): Promise<AssignOutcome> {
    const issuanceId = await this.holders.ask(request);
    return issuanceId === undefined
      ? { kind: 'closed' }
      : { kind: 'accepted', issuanceId, replayed: true };
  }
}

/** Of the lanes to MySQL: what they send away is counted with what became of other assigns. */
function outcomeOf(error: unknown): AssignOutcome {
  const { code, failure } = error instanceof Problem ? error : {};
  if (failure !== undefined && code === 'OVERLOADED') {
    return { kind: 'overloaded', failure };
  }
  if (failure !== undefined && code === 'UNAVAILABLE') {
    return { kind: 'unavailable', failure };
  }
  throw error;
}
