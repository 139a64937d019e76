import { batchSizeMax } from '#coupon/batch-size.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import { issuanceIdSchema } from '#coupon/issuance.ts';
import type { AuditQueries } from '#ledger/audit-queries.ts';
import type { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { inSlices } from '#platform/work/slices.ts';
import type { Gate, HeldIssuance } from '#gate/gate.ts';
import type { ViolationList } from './finding.ts';
import { describeUnrecorded, findMissing, findUnrecorded } from './holder-differences.ts';

/** How many holders without a record are judged at once: bounds the memory, not the comparison. */
const suspectsMax = 5_000;

/**
 * Compares the holders of an open gate with what is issued, both ways, also while requests come in.
 * What it finds counts only if the gate is still open in the same epoch afterwards.
 */
export class HolderComparison {
  constructor(
    private readonly gate: Gate,
    private readonly issuances: IssuanceLedger,
    private readonly queries: AuditQueries,
    private readonly issuers: IssuerProgress,
  ) {}

  /**
   * Adds to `found` what differs. Returns why the comparison could not be finished, in words:
   * the issuers were still behind after `waitMs`.
   */
  async run(coupon: Coupon, found: ViolationList, waitMs: number): Promise<string | undefined> {
    let matched = 0;
    for await (const { issued, missing } of findMissing(this.gate, this.issuances, coupon.id)) {
      matched += issued - missing.length;
      missing.forEach((difference) => found.add(difference));
    }
    // As many as were found at both: there is nobody else at the gate.
    const { holders } = await this.gate.inspect(coupon.id);
    return holders === matched ? undefined : this.judgeUnrecorded(coupon, found, waitMs);
  }

  private async judgeUnrecorded(
    coupon: Coupon,
    found: ViolationList,
    waitMs: number,
  ): Promise<string | undefined> {
    let suspects: HeldIssuance[] = [];
    for await (const slice of findUnrecorded(this.gate, this.issuances, coupon.id)) {
      suspects.push(...slice);
      if (suspects.length >= suspectsMax) {
        const unfinished = await this.judge(coupon, suspects, found, waitMs);
        if (unfinished !== undefined) {
          return unfinished;
        }
        suspects = [];
      }
    }
    return this.judge(coupon, suspects, found, waitMs);
  }

  /**
   * Most holders without a record are on their way. One who is no longer pending was confirmed, so
   * the request is in the log by now; once the log is decided to its present end, it is issued, or
   * refused and given back. Whoever is neither, and still holds that id, differs.
   */
  private async judge(
    { id, kafkaPartition }: Coupon,
    suspects: HeldIssuance[],
    found: ViolationList,
    waitMs: number,
  ): Promise<string | undefined> {
    const confirmed: HeldIssuance[] = [];
    for (const slice of inSlices(suspects, batchSizeMax)) {
      const pending = await this.gate.pendingAmong(
        id,
        slice.map((holder) => holder.issuanceId),
      );
      confirmed.push(...slice.filter(({ issuanceId }) => !pending.has(issuanceId)));
    }
    if (confirmed.length === 0) {
      return undefined;
    }
    const end = await this.issuers.endOf(kafkaPartition);
    if (!(await this.issuers.untilDecided(end, AbortSignal.timeout(waitMs)))) {
      return `the issuers have not come to the end of partition ${kafkaPartition}`;
    }
    for (const slice of inSlices(confirmed, batchSizeMax)) {
      await this.addUnrecorded(id, slice, found);
    }
    return undefined;
  }

  private async addUnrecorded(
    couponId: number,
    suspects: HeldIssuance[],
    found: ViolationList,
  ): Promise<void> {
    const ids = suspects.map((holder) => holder.issuanceId);
    const issued = await this.queries.findIssued(ids.filter(isIssuanceId));
    const refused = await this.queries.findRefused(ids.filter(isIssuanceId));
    const held = await this.gate.heldBy(
      couponId,
      suspects.map((holder) => holder.userId),
    );
    suspects.forEach(({ userId, issuanceId }, i) => {
      const record = issued.get(issuanceId);
      const isRecorded = record?.couponId === couponId && record.userId === userId;
      if (held[i] === issuanceId && !isRecorded) {
        const inLedger = refused.has(issuanceId) ? 'has refused it' : 'nothing';
        found.add(describeUnrecorded({ userId, issuanceId }, inLedger));
      }
    });
  }
}

/** Another hand may have written anything. */
function isIssuanceId(text: string): boolean {
  return issuanceIdSchema.safeParse(text).success;
}
