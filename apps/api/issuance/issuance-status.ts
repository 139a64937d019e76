import { Injectable } from '@nestjs/common';
import { reservedAtOf } from '#coupon/issuance.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { toIsoTime } from '../http/iso-time.ts';
import { Problem } from '../http/problem.ts';
import type { IssuanceStatusAnswer } from './issuance.http.ts';
import { acceptedAt } from './issuance.http.ts';

/** Where an issuance stands: the hint in Redis first, then MySQL, then the watermark. */
@Injectable()
export class IssuanceStatusReader {
  constructor(
    private readonly hints: StatusHints,
    private readonly ledger: IssuanceLedger,
  ) {}

  /**
   * Throws ISSUANCE_NOT_FOUND only for an id that can never have been acknowledged: an acknowledged
   * one is ACCEPTED until it is decided. Rejects when MySQL is needed and away.
   */
  async read(issuanceId: string): Promise<IssuanceStatusAnswer> {
    const reservedAt = reservedAtOf(issuanceId);
    if (reservedAt === undefined) {
      throw notFound(issuanceId);
    }
    // The watermark is read before MySQL: what it vouches for was in MySQL by then.
    const [hint, watermark] = await Promise.all([
      this.hints.read(issuanceId).catch(() => undefined),
      this.hints.readWatermark().catch(() => undefined),
    ]);
    if (hint !== undefined) {
      return {
        issuance_id: issuanceId,
        status: hint.status,
        coupon_id: hint.coupon_id,
        user_id: hint.user_id,
        accepted_at: acceptedAt(issuanceId),
        decided_at: toIsoTime(hint.decided_at),
        ...(hint.reason === undefined ? {} : { reason: hint.reason }),
      };
    }
    return (await this.readLedger(issuanceId)) ?? underWay(issuanceId, reservedAt, watermark);
  }

  private async readLedger(issuanceId: string): Promise<IssuanceStatusAnswer | undefined> {
    const record = await this.ledger.findStatus(issuanceId);
    if (record === undefined) {
      return undefined;
    }
    const answer = {
      issuance_id: issuanceId,
      coupon_id: record.couponId,
      user_id: record.userId,
      accepted_at: acceptedAt(issuanceId),
    };
    return record.status === 'ISSUED'
      ? { ...answer, status: 'ISSUED', decided_at: toIsoTime(record.issuedAt) }
      : {
          ...answer,
          status: 'REFUSED',
          decided_at: toIsoTime(record.refusedAt),
          reason: record.reason,
        };
  }
}

function underWay(
  issuanceId: string,
  reservedAt: number,
  watermark: number | undefined,
): IssuanceStatusAnswer {
  if (watermark !== undefined && reservedAt < watermark) {
    throw notFound(issuanceId);
  }
  return { issuance_id: issuanceId, status: 'ACCEPTED', accepted_at: acceptedAt(issuanceId) };
}

function notFound(issuanceId: string): Problem {
  return new Problem('ISSUANCE_NOT_FOUND', {
    detail: `There is no issuance ${issuanceId}, and none is under way.`,
  });
}
