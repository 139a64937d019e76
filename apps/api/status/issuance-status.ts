import { Injectable } from '@nestjs/common';
import { reservedAtOf } from '#coupon/issuance.ts';
import { isFinal } from '#coupon/issuance-states.ts';
import { redisFailure } from '#gate/checks/redis-failure.ts';
import { Gate } from '#gate/gate.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { Failures } from '#platform/failures/failures.ts';
import { unknownIssuance } from '../issuance/issuance-problems.ts';
import { DecidedLookups } from '../waiting/decided-lookups.ts';
import type { IssuanceStatusAnswer } from './status.http.ts';
import { toStatusAnswer } from './status.http.ts';

/**
 * A clock of Redis that goes back must not make an id unknown that was given just before. So much
 * later it is: no id is younger than now.
 */
const clockToleranceMs = 60_000;

/**
 * Where an issuance stands: the hint in Redis, if it says what nothing can follow, else MySQL, then the
 * watermark. Of what was issued a hint is never enough: only MySQL knows whether it was redeemed since.
 */
@Injectable()
export class IssuanceStatusReader {
  constructor(
    private readonly gate: Gate,
    private readonly hints: StatusHints,
    private readonly lookups: DecidedLookups,
    private readonly failures: Failures,
  ) {}

  /**
   * Throws ISSUANCE_NOT_FOUND only for an id that can never have been acknowledged: an acknowledged
   * one is ACCEPTED until it is decided. Rejects when MySQL is needed and away.
   */
  async read(issuanceId: string): Promise<IssuanceStatusAnswer> {
    const reservedAt = reservedAtOf(issuanceId);
    if (reservedAt === undefined) {
      throw unknownIssuance(issuanceId);
    }
    // The watermark is read before MySQL: what it vouches for was in MySQL by then.
    const [hint, watermark] = await Promise.all([
      this.orNothing(issuanceId, this.hints.read(issuanceId)),
      this.orNothing(issuanceId, this.hints.readWatermark()),
    ]);
    const isKnown = hint !== undefined && isFinal(hint.status);
    const decided = isKnown ? hint : await this.lookups.find(issuanceId);
    if (decided === undefined && !(await this.mayBeUnderWay(issuanceId, reservedAt, watermark))) {
      throw unknownIssuance(issuanceId);
    }
    return toStatusAnswer(issuanceId, decided);
  }

  /** MySQL knows what Redis does not say; only who looks for the reason of slow answers wants to know. */
  private async orNothing<T>(issuanceId: string, reading: Promise<T>): Promise<T | undefined> {
    try {
      return await reading;
    } catch (error) {
      this.failures.note('HINT_LOST', redisFailure(error), () => ({ issuance_id: issuanceId }));
      return undefined;
    }
  }

  /** Of what is decided nowhere: false when it is older than all that is decided, or not from now. */
  private async mayBeUnderWay(
    issuanceId: string,
    reservedAt: number,
    watermark = -Infinity,
  ): Promise<boolean> {
    if (reservedAt < watermark) {
      return false;
    }
    const now = (await this.orNothing(issuanceId, this.gate.now())) ?? Infinity;
    return reservedAt <= now + clockToleranceMs;
  }
}
