import type { Coupon } from '#coupon/coupon.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import type { Logger } from '#platform/logging.ts';
import type { Problem } from '../http/problem.ts';
import { recovering, unknownCoupon } from './coupon-problems.ts';

/**
 * The coupons in memory, read again in the background, so that MySQL being away costs nobody an
 * answer. May be behind MySQL by one refresh; the gate, not this list, decides who is admitted.
 */
export class CouponCatalogue {
  private coupons: ReadonlyMap<number, Coupon> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private lastProblem: string | undefined;

  constructor(
    private readonly ledger: CouponLedger,
    private readonly refreshMs: number,
    private readonly logger: Logger,
  ) {}

  start(): void {
    const refreshAndRepeat = async (): Promise<void> => {
      await this.refresh();
      this.timer = setTimeout(() => void refreshAndRepeat(), this.refreshMs);
    };
    this.timer = setTimeout(() => void refreshAndRepeat(), 0);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  find(couponId: number): Coupon | undefined {
    return this.coupons?.get(couponId);
  }

  /** Why a coupon has no gate: there is no such coupon, or the gate was lost and will be back. */
  explainAbsence(couponId: number): Problem {
    const isKnownToBeAbsent = this.coupons !== undefined && !this.coupons.has(couponId);
    return isKnownToBeAbsent ? unknownCoupon(couponId) : recovering();
  }

  get isLoaded(): boolean {
    return this.coupons !== undefined;
  }

  private async refresh(): Promise<void> {
    try {
      const coupons = await this.ledger.list();
      this.coupons = new Map(coupons.map((coupon) => [coupon.id, coupon]));
      this.note(undefined);
    } catch (error) {
      this.note((error as Error).message);
    }
  }

  /** Logs a change of fortune once, not every second. */
  private note(problem: string | undefined): void {
    if (problem !== undefined && this.lastProblem === undefined) {
      this.logger.warn({ problem }, 'the catalogue cannot be refreshed; the last one stays in use');
    } else if (problem === undefined && this.lastProblem !== undefined) {
      this.logger.info('the catalogue is refreshed again');
    }
    this.lastProblem = problem;
  }
}
