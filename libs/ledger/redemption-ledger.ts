import type { RecordedIssuance } from '#coupon/issuance.ts';
import { mayFollow } from '#coupon/issuance-states.ts';
import { isDuplicateKey } from './connection/driver-error.ts';
import type { LedgerConnection } from './connection/ledger-connection.ts';
import type { IssuanceLedger } from './issuance-ledger.ts';
import { nowInMs } from './ledger-view.ts';
import { inTransaction } from './transaction.ts';
import { uuidToBytes } from './uuid-bytes.ts';

export interface RedeemRequest {
  issuanceId: string;
  /** What it is redeemed for; without one nobody can tell who asks. */
  reference?: string | undefined;
}

export interface Redeemed {
  /** As it is now; `undefined` when nothing is decided about it. */
  issuance: RecordedIssuance | undefined;
  /** It was redeemed by this very request. */
  isNew: boolean;
}

/** What was over when it was to be written may be redeemed all the same: by somebody who came before. */
function isFor({ reference }: RedeemRequest, after: RecordedIssuance | undefined): boolean {
  return after?.status === 'REDEEMED' && after.reference === reference;
}

/** What was redeemed of what was issued. Rejects while MySQL is away: then it may have been done. */
export class RedemptionLedger {
  constructor(
    private readonly connection: LedgerConnection,
    private readonly issuances: Pick<IssuanceLedger, 'findStatuses'>,
  ) {}

  /**
   * Redeems what may be, each once, however many ask for it, here and elsewhere; of several in one
   * call the first. Tells of each how it is afterwards, in order. At most 500.
   */
  async redeem(requests: readonly RedeemRequest[]): Promise<Redeemed[]> {
    const ids = requests.map(({ issuanceId }) => issuanceId);
    const before = await this.issuances.findStatuses(ids);
    const due = requests.filter(
      ({ issuanceId }, i) =>
        ids.indexOf(issuanceId) === i &&
        before[i] !== undefined &&
        mayFollow(before[i].status, 'REDEEMED'),
    );
    if (due.length === 0) {
      return before.map((issuance) => ({ issuance, isNew: false }));
    }
    const written = new Set(await this.writeAll(due));
    const after = await this.issuances.findStatuses(ids);
    return requests.map((request, i) => ({
      issuance: after[i],
      isNew: written.has(request) && isFor(request, after[i]),
    }));
  }

  /** Those that nobody else has written before. */
  private async writeAll(due: RedeemRequest[]): Promise<RedeemRequest[]> {
    if (await this.write(due)) {
      return due;
    }
    const written: RedeemRequest[] = [];
    for (const one of due) {
      if (await this.write([one])) {
        written.push(one);
      }
    }
    return written;
  }

  /**
   * False, and nothing written, when one of them was redeemed meanwhile. What is valid no more is left
   * out. One statement judges and writes, by the clock of MySQL: a crash before it has done nothing,
   * and one after it is a repeat.
   */
  private async write(due: RedeemRequest[]): Promise<boolean> {
    const references = due.flatMap(({ issuanceId, reference }) => [
      uuidToBytes(issuanceId),
      reference === undefined ? null : Buffer.from(reference),
    ]);
    const cases = 'WHEN ? THEN ? '.repeat(due.length);
    try {
      // READ COMMITTED, for then it locks no row that it reads: issuers want those of the coupons.
      await inTransaction(
        this.connection,
        (manager) =>
          manager.query(
            `INSERT INTO redemption (issuance_id, redeemed_at, reference)
             SELECT i.id, ${nowInMs}, CASE i.id ${cases}END
             FROM issuance i LEFT JOIN coupon c ON c.id = i.coupon_id
             WHERE i.id IN (?) AND (c.valid_until IS NULL OR c.valid_until > ${nowInMs})
             ORDER BY i.id`,
            [...references, due.map(({ issuanceId }) => uuidToBytes(issuanceId))],
          ),
        'READ COMMITTED',
      );
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) {
        return false;
      }
      throw error;
    }
  }
}
