import { Injectable } from '@nestjs/common';
import type { AssignOutcome } from '#admission/assign-coupon.ts';
import { AssignLimits } from '#admission/assign-coupon.ts';
import type { AssignRequest } from '#coupon/issuance-request.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { CouponCatalogue } from '../coupon/coupon-catalogue.ts';
import { CouponLookup } from '../coupon/coupon-lookup.ts';
import { LedgerLane } from '../coupon/ledger-lane.ts';

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
   * left for what does not exist. Throws OVERLOADED or UNAVAILABLE when that cannot be told.
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
    const coupon = await this.lookup.find(couponId);
    if (coupon === undefined) {
      return { kind: 'absent' };
    }
    return coupon.archivedAt === null ? { kind: 'recovering', failure } : this.repeat(request);
  }

  private async repeat(request: AssignRequest): Promise<AssignOutcome> {
    const issuanceId = await this.holders.ask(request);
    return issuanceId === undefined
      ? { kind: 'closed' }
      : { kind: 'accepted', issuanceId, replayed: true };
  }
}
