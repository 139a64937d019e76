import { Injectable } from '@nestjs/common';
import { reservedAtOf } from '#coupon/issuance.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { Problem } from '../http/problem.ts';
import type { IssuanceStatusAnswer } from './issuance.http.ts';
import { toStatusAnswer } from './issuance.http.ts';

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
    const decided = hint ?? (await this.ledger.findStatus(issuanceId));
    if (decided === undefined && watermark !== undefined && reservedAt < watermark) {
      throw notFound(issuanceId);
    }
    return toStatusAnswer(issuanceId, decided);
  }
}

function notFound(issuanceId: string): Problem {
  return new Problem('ISSUANCE_NOT_FOUND', {
    detail: `There is no issuance ${issuanceId}, and none is under way.`,
  });
}
