import { randomUUID } from 'node:crypto';
import { batchSizeMax } from '#coupon/batch-size.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { faultPoint } from '#platform/fault-point.ts';
import { inSlices } from '#platform/slices.ts';
import type { HeldIssuance } from '#gate/gate.ts';
import { Gate } from '#gate/gate.ts';

const readSliceSize = 5_000;

/** The second half of a recovery, for one coupon: its gate is built anew from MySQL, and opened. */
export class GateRebuild {
  constructor(
    private readonly coupons: CouponLedger,
    private readonly issuances: IssuanceLedger,
    private readonly gate: Gate,
    private readonly onStaged: (holders: number) => void,
  ) {}

  /**
   * Steps 5 and 6 of a recovery, once the marker of `epoch` is applied. False when another recovery
   * has overtaken this one, or Redis went away again: the gate is then as shut as before.
   */
  async run(couponId: number, epoch: number): Promise<boolean> {
    // 5. Claim, and only then look at MySQL's epoch: a recovery that begins after this look finds the
    //    claim already made and takes it over; one that began before it is seen here.
    const token = randomUUID();
    const runId = await this.gate.claim(couponId, epoch, token);
    faultPoint('recovery.claimed');
    const coupon = await this.coupons.find(couponId);
    if (
      runId === undefined ||
      coupon?.epoch !== epoch ||
      !(await this.stageHolders(couponId, token))
    ) {
      return false;
    }
    // 6. Open, all at once. Anything that changed meanwhile makes it a no.
    return this.gate.open(coupon, token, runId);
  }

  /** Reads the next slice from MySQL while Redis takes the one before. */
  private async stageHolders(couponId: number, token: string): Promise<boolean> {
    let staging = Promise.resolve(true);
    for await (const slice of this.issuances.holders(couponId, readSliceSize)) {
      if (!(await staging)) {
        return false;
      }
      staging = this.stage(couponId, token, slice);
      // Its failure is met at the next `await`, or at the last one.
      staging.catch(() => {});
    }
    return staging;
  }

  private async stage(couponId: number, token: string, slice: HeldIssuance[]): Promise<boolean> {
    const staged = await Promise.all(
      inSlices(slice, batchSizeMax).map((part) => this.gate.stage(couponId, token, part)),
    );
    this.onStaged(slice.length);
    faultPoint('recovery.staged');
    return staged.every(Boolean);
  }
}
