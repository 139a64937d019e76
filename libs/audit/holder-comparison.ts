import { batchSizeMax } from '#coupon/batch-size.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import type { AuditQueries } from '#ledger/audit-queries.ts';
import type { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import type { Gate, HeldIssuance } from '#gate/gate.ts';
import type { ViolationList } from './finding.ts';

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
    const matched = await this.findMissing(coupon.id, found);
    // As many as were found at both: there is nobody else at the gate.
    const { holders } = await this.gate.inspect(coupon.id);
    return holders === matched ? undefined : this.findUnrecorded(coupon, found, waitMs);
  }

  /**
   * Issued, but not held. Needs no waiting: a unit is at the gate long before it is in MySQL, and
   * within an epoch only a refusal takes it away. Returns how many are at both.
   */
  private async findMissing(couponId: number, found: ViolationList): Promise<number> {
    let matched = 0;
    for await (const slice of this.issuances.holders(couponId)) {
      const atGate = await this.gate.heldBy(
        couponId,
        slice.map((holder) => holder.userId),
      );
      slice.forEach(({ userId, issuanceId }, i) => {
        if (atGate[i] === issuanceId) {
          matched += 1;
        } else {
          const held = atGate[i] ?? 'nothing';
          found.add(`user ${JSON.stringify(userId)}: MySQL has ${issuanceId}, the gate ${held}`);
        }
      });
    }
    return matched;
  }

  /** Held, but not issued. */
  private async findUnrecorded(
    coupon: Coupon,
    found: ViolationList,
    waitMs: number,
  ): Promise<string | undefined> {
    let suspects: HeldIssuance[] = [];
    for await (const slice of this.gate.holders(coupon.id)) {
      const userIds = slice.map((holder) => holder.userId);
      const issued = await this.issuances.issuedTo(coupon.id, userIds);
      suspects.push(...slice.filter((holder) => !issued.has(holder.userId)));
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
    for (const slice of slicesOf(suspects)) {
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
    for (const slice of slicesOf(confirmed)) {
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
    const issued = await this.queries.findIssued(ids.filter(isUuid));
    const refused = await this.queries.findRefused(ids.filter(isUuid));
    const held = await this.gate.heldBy(
      couponId,
      suspects.map((holder) => holder.userId),
    );
    suspects.forEach(({ userId, issuanceId }, i) => {
      const record = issued.get(issuanceId);
      const isRecorded = record?.couponId === couponId && record.userId === userId;
      if (held[i] === issuanceId && !isRecorded) {
        const inLedger = refused.has(issuanceId) ? 'has refused it' : 'nothing';
        found.add(`user ${JSON.stringify(userId)}: the gate has ${issuanceId}, MySQL ${inLedger}`);
      }
    });
  }
}

/** Another hand may have written anything. */
function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

function* slicesOf<Item>(items: Item[]): Generator<Item[]> {
  for (let from = 0; from < items.length; from += batchSizeMax) {
    yield items.slice(from, from + batchSizeMax);
  }
}
