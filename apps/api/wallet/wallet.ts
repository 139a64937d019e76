import { Injectable } from '@nestjs/common';
import type { RecordedIssuance } from '#coupon/issuance.ts';
import type { Holding } from '#gate/holdings.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { UnitsUnderWay } from './units-under-way.ts';

/** A unit of a user: accepted, then issued, and whatever becomes of it. */
export interface OwnedUnit {
  issuanceId: string;
  couponId: number;
  /** Missing while it is accepted only. */
  issued?: RecordedIssuance;
}

export interface WalletPage {
  units: OwnedUnit[];
  /** The last id of this page, when there are more. */
  next: string | null;
  /** False where something that was accepted just now may be missing. */
  isComplete: boolean;
}

/** What a user has, by MySQL; and what was accepted and MySQL does not have yet, by the gates. */
@Injectable()
export class Wallet {
  constructor(
    private readonly underWay: UnitsUnderWay,
    private readonly ledger: IssuanceLedger,
  ) {}

  /** Oldest first, from after an id on. Rejects while MySQL is away. */
  async page(userId: string, limit: number, after = ''): Promise<WalletPage> {
    // 1. The gates, before MySQL: what is decided from here on is found there.
    const held = await this.underWay.heldBy(userId);
    // 2. MySQL: whatever is issued up to its last row, or all of it.
    const issued = await this.ledger.listByUser(userId, limit + 1, after || undefined);
    const units = new Map<string, OwnedUnit>(
      issued.map((one) => [
        one.issuanceId,
        { issuanceId: one.issuanceId, couponId: one.couponId, issued: one },
      ]),
    );
    const end = issued.length > limit ? issued[limit]!.issuanceId : undefined;
    // 3. What is held, belongs to this page, and was not issued by then.
    const open = held.told.filter(
      ({ issuanceId: id }) => id > after && (end === undefined || id < end) && !units.has(id),
    );
    const isWhole = open.length === 0 || (await this.addOpen(units, userId, open, held.history!));
    const page = [...units.values()].sort(byId);
    return {
      units: page.slice(0, limit),
      next: page.length > limit ? page[limit - 1]!.issuanceId : null,
      isComplete: held.isWhole && isWhole,
    };
  }

  /** Adds those that are accepted, or were issued meanwhile. False when a gate could not tell. */
  private async addOpen(
    units: Map<string, OwnedUnit>,
    userId: string,
    open: Holding[],
    history: string,
  ): Promise<boolean> {
    const { told: confirmed, isWhole } = await this.underWay.confirmed(userId, open, history);
    // After the gates: a refused unit is given back when MySQL has its refusal, and not before.
    const decided = await this.ledger.findStatuses(open.map(({ issuanceId }) => issuanceId));
    open.forEach((holding, i) => {
      const { issuanceId, couponId } = holding;
      const decision = decided[i];
      const isOwned = decision === undefined ? confirmed.includes(holding) : isIssued(decision);
      if (isOwned) {
        units.set(issuanceId, { issuanceId, couponId, ...(decision && { issued: decision }) });
      }
    });
    return isWhole;
  }
}

/** Also when it was redeemed since, or is over. */
function isIssued({ status }: RecordedIssuance): boolean {
  return status !== 'REFUSED';
}

/** Ids as text are in the order of their bytes. */
function byId(a: { issuanceId: string }, b: { issuanceId: string }): number {
  return a.issuanceId < b.issuanceId ? -1 : 1;
}
