import type { CouponEpoch, IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { faultPoint } from '#platform/process/fault-point.ts';
import { inSlices } from '#platform/work/slices.ts';

/** A partition applies markers in their order, so those behind the first so many need no look. */
const headSize = 500;
const lookSize = 1_000;
/** One that is not applied by then is written again: it may never have reached the log. */
const writeAgainMs = 30_000;
const afterFailureMs = 1_000;

interface Waiting<One> {
  one: One;
  since: number;
  isWritten: boolean;
  writeAt: number;
}

/**
 * Steps 3 and 4 of a recovery: writes the markers of gates that were fenced, and says which the issuers
 * have applied. A partition that stands still holds up only its own. Whoever waits for long waits on
 * for the same epoch: the marker of a later one would have the whole log before it again.
 */
export class RecoveryMarkers<One extends CouponEpoch> {
  private readonly partitions = new Map<number, Waiting<One>[]>();
  private readonly writing = new Map<number, Promise<void>>();

  constructor(
    private readonly coupons: CouponLedger,
    private readonly log: IssuanceLog,
    private readonly onFailure: (partition: number, error: unknown) => void,
  ) {}

  /** They are of one partition, and fenced: not before, or what is void could be confirmed. */
  add(partition: number, ones: readonly One[]): void {
    if (ones.length === 0) {
      return;
    }
    const waiting = this.partitions.get(partition) ?? [];
    const since = performance.now();
    waiting.push(...ones.map((one) => ({ one, since, isWritten: false, writeAt: since })));
    this.partitions.set(partition, waiting);
    this.write(partition);
  }

  /**
   * Those whose marker is applied by now, and those whose coupon is gone, or in another epoch. Rejects
   * while MySQL is away.
   */
  async settle(): Promise<{ applied: One[]; overtaken: One[] }> {
    for (const partition of this.partitions.keys()) {
      this.write(partition);
    }
    const heads = [...this.partitions.values()].flatMap((waiting) => waiting.slice(0, headSize));
    const applied: One[] = [];
    const overtaken: One[] = [];
    for (const some of inSlices(heads, lookSize)) {
      const coupons = await this.coupons.findAll(some.map(({ one }) => one.couponId));
      const byId = new Map(coupons.map((coupon) => [coupon.id, coupon]));
      for (const { one } of some) {
        const coupon = byId.get(one.couponId);
        if (coupon?.epoch !== one.epoch) {
          overtaken.push(one);
        } else if (coupon.appliedEpoch >= one.epoch) {
          applied.push(one);
        }
      }
    }
    this.forget(new Set([...applied, ...overtaken]));
    return { applied, overtaken };
  }

  /** How many gates wait for each partition, and for how long the first of them has. */
  waitedFor(): { partition: number; gates: number; seconds: number }[] {
    const now = performance.now();
    return [...this.partitions].map(([partition, waiting]) => ({
      partition,
      gates: waiting.length,
      seconds: Math.round((now - waiting[0]!.since) / 1_000),
    }));
  }

  /** Resolves when nothing is being written any more. */
  async drain(): Promise<void> {
    await Promise.all(this.writing.values());
  }

  private forget(settled: ReadonlySet<One>): void {
    for (const [partition, waiting] of this.partitions) {
      const left = waiting.filter(({ one }) => !settled.has(one));
      if (left.length === 0) {
        this.partitions.delete(partition);
      } else {
        this.partitions.set(partition, left);
      }
    }
  }

  /** 3. Markers, in the order of need. Requests of an older epoch that reach the log behind them are void. */
  private write(partition: number): void {
    const now = performance.now();
    const waiting = this.partitions.get(partition)!;
    const due = waiting.filter(
      ({ writeAt, isWritten }, i) => writeAt <= now && (!isWritten || i < headSize),
    );
    if (due.length === 0 || this.writing.has(partition)) {
      return;
    }
    this.writing.set(partition, this.writeAll(partition, due));
  }

  private async writeAll(partition: number, due: Waiting<One>[]): Promise<void> {
    let nextMs = writeAgainMs;
    try {
      await this.log.publishMarkers(due.map(({ one }) => one));
      faultPoint('recovery.marked');
      due.forEach((waiting) => {
        waiting.isWritten = true;
      });
    } catch (error) {
      this.onFailure(partition, error);
      nextMs = afterFailureMs;
    }
    const writeAt = performance.now() + nextMs;
    due.forEach((waiting) => {
      waiting.writeAt = writeAt;
    });
    this.writing.delete(partition);
  }
}
