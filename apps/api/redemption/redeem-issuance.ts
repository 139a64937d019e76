import { Injectable } from '@nestjs/common';
import { AssignLimits } from '#admission/assign-coupon.ts';
import type { RecordedIssuance } from '#coupon/issuance.ts';
import type { Redeemed, RedeemRequest } from '#ledger/redemption-ledger.ts';
import { RedemptionLedger } from '#ledger/redemption-ledger.ts';
import { LedgerLane } from '../coupon/ledger-lane.ts';
import type { Problem } from '../http/problem/problem.ts';
import { IssuanceStatusReader } from '../status/issuance-status.ts';
import { Pace } from '../waiting/pace.ts';
import { notIssuedYet, redeemProblem } from './redemption-problems.ts';

/**
 * Uses up what was issued, once. MySQL alone knows and decides; nothing is written to Redis, so there
 * is nothing that a crash could leave half done.
 */
@Injectable()
export class RedeemIssuance {
  private readonly lane: LedgerLane<RedeemRequest, Redeemed>;

  constructor(
    ledger: RedemptionLedger,
    private readonly reader: IssuanceStatusReader,
    private readonly pace: Pace,
    { waitMaxMs }: AssignLimits,
  ) {
    this.lane = new LedgerLane((requests) => ledger.redeem(requests), waitMaxMs, 'change');
  }

  /**
   * The issuance as it was redeemed, now or by this reference before. Throws the problem that says why
   * it was not. While MySQL is away nobody knows whether it was: the same request again finds out.
   */
  async redeem(request: RedeemRequest): Promise<{ issuance: RecordedIssuance; isNew: boolean }> {
    const { issuance, isNew } = await this.lane.ask(request);
    if (issuance === undefined) {
      throw await this.undecided(request.issuanceId);
    }
    if (issuance.status === 'REDEEMED' && (isNew || issuance.reference === request.reference)) {
      return { issuance, isNew };
    }
    throw redeemProblem(issuance);
  }

  /** Unknown, or under way; also when it was decided since it was looked for. */
  private async undecided(issuanceId: string): Promise<Problem> {
    await this.reader.read(issuanceId);
    return notIssuedYet(issuanceId, this.pace.forecast(issuanceId).pollAfterMs / 1_000);
  }
}
