import { Injectable } from '@nestjs/common';
import { AssignLimits } from '#admission/assign-coupon.ts';
import { GroupCommit, NotSentError } from '#admission/group-commit.ts';
import { redisFailure } from '#gate/checks/redis-failure.ts';
import type { Holding, Told } from '#gate/holdings.ts';
import { Holdings } from '#gate/holdings.ts';
import type { Failure } from '#platform/failures/failure.ts';
import { Failures } from '#platform/failures/failures.ts';
import { CouponCatalogue } from '../coupon/coupon-catalogue.ts';
import { RunningCoupons } from './running-coupons.ts';

/** Users whose wallets are asked for in one trip: a gate answers one for all of them. */
const usersOfTrip = 50;

export interface UnitsHeld extends Told<Holding[]> {
  /** For `confirmed`; missing where Redis did not answer. */
  history?: string;
}

/**
 * What the gates know of a user that MySQL may not have yet. Whoever asks while a trip is out shares the
 * next one. Redis away is no error: nothing is known then, and it is not the whole.
 */
@Injectable()
export class UnitsUnderWay {
  private readonly trips: GroupCommit<0, string, UnitsHeld>;
  private readonly running = new RunningCoupons();

  constructor(
    private readonly catalogue: CouponCatalogue,
    private readonly holdings: Holdings,
    private readonly failures: Failures,
    { waitMaxMs }: AssignLimits,
  ) {
    this.trips = new GroupCommit((_, userIds) => this.ask(userIds), {
      batchSizeMax: usersOfTrip,
      inFlightMax: 1,
      waitMaxMs,
    });
  }

  /** All units that the user holds at the gates of running coupons, decided or not. */
  async heldBy(userId: string): Promise<UnitsHeld> {
    return (await this.orNothing(this.trips.add(0, userId))) ?? { told: [], isWhole: false };
  }

  /** Those of them that are as good as a 200. */
  async confirmed(userId: string, holdings: Holding[], history: string): Promise<Told<Holding[]>> {
    const asking = this.holdings.confirmed(userId, holdings, history);
    return (await this.orNothing(asking)) ?? { told: [], isWhole: false };
  }

  private async ask(userIds: string[]): Promise<UnitsHeld[]> {
    const [moment, isFresh] = await Promise.all([
      this.holdings.moment(),
      // A coupon that was created a moment ago is not in the list yet.
      this.catalogue.refresh().then(
        () => true,
        () => false,
      ),
    ]);
    const { coupons, isWhole } = this.running.among(this.catalogue.all, moment);
    const { history } = moment;
    const held = await this.holdings.heldBy(userIds, coupons, history);
    const isAll = isFresh && isWhole && held.isWhole;
    return held.told.map((told) => ({ told, isWhole: isAll, history }));
  }

  private async orNothing<What>(asking: Promise<What>): Promise<What | undefined> {
    try {
      return await asking;
    } catch (error) {
      this.failures.note('HINT_LOST', failureOf(error));
      return undefined;
    }
  }
}

function failureOf(error: unknown): Failure {
  return error instanceof NotSentError ? { cause: 'gate_lane', error } : redisFailure(error);
}
