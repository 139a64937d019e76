import type { CouponArchive } from '#administration/coupon-archive.ts';
import type { Gate } from '#gate/gate.ts';
import type { GateKeyspace } from '#gate/gate-keyspace.ts';
import type { ArchivedCoupons } from '#ledger/coupons/archived-coupons.ts';
import type { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { eachApart } from '#platform/work/each-apart.ts';
import type { Logger } from '#platform/logging/logging.ts';

const sliceSize = 200;
const leftoverLanes = 4;
/** Of one slice; what is not decided by then is archived in a later round. */
const decidedTimeoutMs = 5_000;

/** Archives coupons some time after they have ended, and removes gates that an archiving left behind. */
export class Archiving {
  constructor(
    private readonly archive: CouponArchive,
    private readonly archived: ArchivedCoupons,
    private readonly coupons: CouponLedger,
    private readonly gate: Gate,
    private readonly keyspace: GateKeyspace,
    /** 0: never. */
    private readonly archiveAfterMs: number,
    private readonly logger: Logger,
  ) {}

  async archiveEnded(signal: AbortSignal): Promise<void> {
    if (this.archiveAfterMs === 0) {
      return;
    }
    const endedBefore = (await this.gate.now()) - this.archiveAfterMs;
    const ended = { endedBefore, unchangedForMs: this.archiveAfterMs };
    for await (const ids of this.archived.due(ended, sliceSize)) {
      if (signal.aborted) {
        return;
      }
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(decidedTimeoutMs)]);
      const kept = await this.archive.archive(ids, timeout);
      this.logger.info(
        { archived: ids.length - kept.size, kept: Object.fromEntries([...kept].slice(0, 5)) },
        'archived coupons that have ended',
      );
    }
  }

  /** A step of a round through the keys in Redis: whoever archives may die before the keys are gone. */
  async removeLeftovers(): Promise<void> {
    const found = await this.coupons.findAll(await this.keyspace.step());
    await eachApart(
      found.filter(({ archivedAt }) => archivedAt !== null),
      leftoverLanes,
      ({ id }) => `coupon ${id}`,
      async ({ id }) => {
        if (await this.archive.removeGate(id)) {
          this.logger.info({ coupon_id: id }, 'removed the gate of an archived coupon');
        }
      },
    );
  }
}
