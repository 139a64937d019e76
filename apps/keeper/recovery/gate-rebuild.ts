import { randomUUID } from 'node:crypto';
import { batchSizeMax } from '#coupon/batch-size.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { faultPoint } from '#platform/process/fault-point.ts';
import { inSlices } from '#platform/work/slices.ts';
import { pauseFor } from '#platform/work/waiting.ts';
import type { HeldIssuance } from '#gate/gate.ts';
import { Gate } from '#gate/gate.ts';

const readSliceSize = 5_000;
/** Fewer find room, or are told that there is none. */
const manyHolders = 10_000;
/** What Redis needs for a holder, more or less: measured by `recovery-bulk.faults.spec.ts`. */
const bytesPerHolder = 130;
/** Redis frees what was claimed in the background. */
const roomWaitMs = 2_000;
const roomPollMs = 100;

/** Redis cannot hold all holders of a coupon. Nothing of them is left there: others need the room. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
}

/** Nobody knows whether the gate was opened: its epoch must not be used again. */
export class OpenUnheardError extends Error {
  override readonly name = 'OpenUnheardError';
}

/** Overtaken by another recovery, or its fence is lost; or interrupted, as by a Redis that restarted. */
export type Rebuilt = 'opened' | 'overtaken' | 'interrupted';

/** The second half of a recovery, for one coupon: its gate is built anew from MySQL, and opened. */
export class GateRebuild {
  constructor(
    private readonly coupons: CouponLedger,
    private readonly issuances: IssuanceLedger,
    private readonly gate: Gate,
    private readonly onStaged: (holders: number) => void,
  ) {}

  /**
   * Steps 5 and 6 of a recovery, once the marker of `epoch` is applied. Unless it opens the gate, that
   * is as shut as before. Run again in the same epoch it begins at its claim, which tells whether the
   * gate is still fenced for that; never after an `OpenUnheardError`.
   */
  async run(couponId: number, epoch: number, signal: AbortSignal): Promise<Rebuilt> {
    // 5. Claim, and only then look at MySQL's epoch: a recovery that begins after this look finds the
    //    claim already made and takes it over; one that began before it is seen here.
    const token = randomUUID();
    const history = await this.gate.claim(couponId, epoch, token);
    faultPoint('recovery.claimed');
    const coupon = await this.coupons.find(couponId);
    if (history === undefined || coupon?.epoch !== epoch) {
      return 'overtaken';
    }
    const staged = await this.stageAllOrNothing(coupon, token, signal);
    const isOpened = staged !== undefined && (await this.open(coupon, token, history, staged));
    return isOpened ? 'opened' : 'interrupted';
  }

  private async stageAllOrNothing(
    coupon: Coupon,
    token: string,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    try {
      await this.awaitRoom(coupon, signal);
      return await this.stageHolders(coupon.id, token, signal);
    } catch (error) {
      if (!isOutOfMemory(error)) {
        throw error;
      }
      // A claim empties the gate: a Redis that is full would turn away whoever asks the open gates.
      await this.gate.claim(coupon.id, coupon.epoch, randomUUID());
      throw new NoRoomError(
        `Redis has no room for the ${coupon.issued} holders of coupon ${coupon.id}: raise its maxmemory`,
        { cause: error },
      );
    }
  }

  private async awaitRoom({ issued }: Coupon, signal: AbortSignal): Promise<void> {
    if (issued < manyHolders) {
      return;
    }
    const needed = issued * bytesPerHolder;
    const until = performance.now() + roomWaitMs;
    while ((await this.gate.room()) < needed) {
      if (performance.now() > until) {
        throw new Error(`OOM: ${issued} holders do not fit`);
      }
      await pauseFor(roomPollMs, signal);
    }
  }

  /**
   * Reads the next slice from MySQL while Redis takes the one before. Returns how many holders were
   * staged; `undefined` when the claim is lost, or some of them.
   */
  private async stageHolders(
    couponId: number,
    token: string,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    let staging = Promise.resolve(true);
    let count = 0;
    for await (const slice of this.issuances.holders(couponId, readSliceSize)) {
      signal.throwIfAborted();
      if (!(await staging)) {
        return undefined;
      }
      staging = this.stage(couponId, token, slice);
      count += slice.length;
      // Its failure is met at the next `await`, or at the last one.
      staging.catch(() => {});
    }
    return (await staging) ? count : undefined;
  }

  private async stage(couponId: number, token: string, slice: HeldIssuance[]): Promise<boolean> {
    const staged = await Promise.all(
      inSlices(slice, batchSizeMax).map((part) => this.gate.stage(couponId, token, part)),
    );
    this.onStaged(slice.length);
    faultPoint('recovery.staged');
    return staged.every(Boolean);
  }

  /**
   * 6. Open, all at once. Anything that changed meanwhile makes it a no: also a change of the coupon,
   * which has left its version at the gate and returned. Then the coupon is read again.
   */
  private async open(
    read: Coupon,
    token: string,
    history: string,
    staged: number,
  ): Promise<boolean> {
    for (let coupon = read; ;) {
      const opening = this.gate.open(coupon, token, history, staged);
      const isOpened = await opening.catch((error: unknown) => {
        throw new OpenUnheardError(messageOf(error), { cause: error });
      });
      const newer = isOpened ? null : await this.coupons.find(coupon.id);
      if (newer === null || newer.version <= coupon.version || newer.epoch !== coupon.epoch) {
        return isOpened;
      }
      coupon = newer;
    }
  }
}

function isOutOfMemory(error: unknown): boolean {
  return messageOf(error).includes('OOM');
}
