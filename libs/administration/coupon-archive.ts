import type { Coupon } from '#coupon/coupon.ts';
import { sellingState } from '#coupon/coupon.ts';
import type { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import type { Gate } from '#gate/gate.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import { untilOpen } from '#gate/until-open.ts';
import type { ArchivedCoupons } from '#ledger/coupons/archived-coupons.ts';
import type { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { eachApart } from '#platform/work/each-apart.ts';
import { faultPoint } from '#platform/process/fault-point.ts';
import { CouponError } from './coupon-error.ts';

/** Why each of these coupons is not archived, in words; the others are. */
export type KeptCoupons = Map<number, string>;

const lanes = 8;
const openTimeoutMs = 60_000;

/**
 * Archives coupons that have ended: their gates go, and MySQL alone answers for them. That may be done
 * when MySQL has all that was acknowledged of them:
 *
 * 1. The gate has ended and nothing is pending: whatever was acknowledged has been confirmed, so it is
 *    in the log, and nothing comes after it.
 * 2. The end of its partition, read after 1; the issuers have committed up to there.
 * 3. MySQL says that it is archived, if it is still as it was read before 1, version and epoch: no
 *    change and no recovery has let anybody in meanwhile, and none begins from here on.
 * 4. The keys are removed. A crash before that leaves a gate that admits nobody and tells holders what
 *    is so; the keeper removes it (`removeGate`) when it finds it.
 */
export class CouponArchive {
  constructor(
    private readonly coupons: CouponLedger,
    private readonly archived: ArchivedCoupons,
    private readonly gate: Gate,
    private readonly issuers: IssuerProgress,
  ) {}

  /** Waits for the issuers until `signal` is aborted. Rejects when a store is away. */
  async archive(couponIds: readonly number[], signal: AbortSignal): Promise<KeptCoupons> {
    const kept: KeptCoupons = new Map();
    const coupons = await this.coupons.findAll(couponIds);
    const ended: Coupon[] = [];
    await eachApart(coupons, lanes, nameOf, async (coupon) => {
      const obstacle = obstacleAt(coupon, await this.gate.inspect(coupon.id));
      if (obstacle === undefined) {
        ended.push(coupon);
      } else {
        kept.set(coupon.id, obstacle);
      }
    });
    for (const coupon of await this.untilDecided(ended, kept, signal)) {
      if (!(await this.archived.archive(coupon))) {
        kept.set(coupon.id, 'it was changed or recovered meanwhile: try again');
        continue;
      }
      faultPoint('archive.recorded');
      await this.removeGate(coupon.id);
      faultPoint('archive.removed');
    }
    return kept;
  }

  /**
   * Removes what Redis has of an archived coupon. False when there is something to keep: the coupon
   * is not archived (any more), or its gate is not one that has ended.
   */
  removeGate(couponId: number): Promise<boolean> {
    // Behind the lock of its row nobody unarchives it, so nobody opens the gate.
    return this.archived.whileArchived(couponId, async (ofLedger) => {
      const { epoch, minEpoch } = await this.gate.inspect(couponId);
      return this.gate.archive(couponId, Math.max(ofLedger, epoch, minEpoch));
    });
  }

  /** Returns once a recovery has opened its gate again. Throws `CouponError` when that takes long. */
  async unarchive(couponId: number): Promise<Coupon> {
    const coupon = await this.coupons.find(couponId);
    if (coupon === null) {
      throw new CouponError(`there is no coupon ${couponId}`);
    }
    if (coupon.archivedAt === null) {
      throw new CouponError(`coupon ${couponId} is not archived`);
    }
    if (!(await this.archived.unarchive(coupon))) {
      throw new CouponError(`coupon ${couponId} is being changed by others: try again`);
    }
    // A crash here leaves a coupon without a gate, which is what a recovery looks for.
    if (!(await untilOpen(this.gate, couponId, openTimeoutMs))) {
      throw new CouponError(
        `coupon ${couponId} is not archived any more, but its gate is not open yet: ` +
          'are a keeper and an issuer running? They open it by themselves',
      );
    }
    return (await this.coupons.find(couponId))!;
  }

  /** Those of which everything in the log is decided; the others are kept. */
  private async untilDecided(
    coupons: Coupon[],
    kept: KeptCoupons,
    signal: AbortSignal,
  ): Promise<Coupon[]> {
    if (coupons.length === 0) {
      return [];
    }
    const ends = await this.issuers.ends();
    const decided: Coupon[] = [];
    const byPartition = Map.groupBy(coupons, ({ kafkaPartition }) => kafkaPartition);
    await eachApart(
      byPartition,
      lanes,
      ([partition]) => `partition ${partition}`,
      async (group) => {
        const [partition, ofPartition] = group;
        // Nobody comes to the end of a partition that is not there.
        const end = ends.get(partition) ?? Number.POSITIVE_INFINITY;
        if (await this.issuers.untilDecided(new Map([[partition, end]]), signal)) {
          decided.push(...ofPartition);
        } else {
          const why = `the issuers have not come to the end of partition ${partition}: is one running?`;
          ofPartition.forEach(({ id }) => kept.set(id, why));
        }
      },
    );
    return decided;
  }
}

/** Why a coupon cannot be archived as it stands, in words. */
function obstacleAt(coupon: Coupon, gate: GateInspection): string | undefined {
  if (coupon.archivedAt !== null) {
    return 'it is archived already';
  }
  if (gate.gate !== 'open' || gate.epoch !== coupon.epoch) {
    return 'it is being recovered: try again in a moment';
  }
  if (gate.version !== coupon.version) {
    return 'a change of it has not reached its gate yet: try again in a moment';
  }
  if (sellingState(coupon, gate.left, gate.now) !== 'CLOSED') {
    return 'it has not ended: close it first';
  }
  return gate.pending > 0
    ? `${gate.pending} of its reservations are still under way: try again in a moment`
    : undefined;
}

function nameOf({ id }: Coupon): string {
  return `coupon ${id}`;
}
