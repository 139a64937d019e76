import type { Coupon } from '#coupon/coupon.ts';
import type { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { LiveCoupons } from '#ledger/coupons/live-coupons.ts';
import type { Gate } from '#gate/gate.ts';

/**
 * The live coupons in memory, read again in the background, so that MySQL being away costs nobody an
 * answer: the last list stays in use. May be behind MySQL by one refresh; the gate, not this list,
 * decides who is admitted. Archived coupons are not in it: see `CouponLookup`.
 */
export class CouponCatalogue {
  private readonly live: LiveCoupons;
  private list: readonly Coupon[] | undefined;
  private reading: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private coupons: ReadonlyMap<number, Coupon> = new Map();

  constructor(
    ledger: CouponLedger,
    private readonly gate: Gate,
  ) {
    this.live = new LiveCoupons(ledger);
  }

  /**
   * Resolves when a list is in use that was read after this call. They are read one after the other: one
   * that came slowly must not replace one that was read later. Whoever waits, waits for the same.
   */
  refresh(): Promise<void> {
    this.next ??= this.reading
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        this.reading = this.readAnew();
        return this.reading;
      });
    return this.next;
  }

  private async readAnew(): Promise<void> {
    const list = await this.live.read();
    if (list !== this.list) {
      list.forEach(({ id, epoch }) => this.gate.learnEpoch(id, epoch));
      this.coupons = new Map(list.map((coupon) => [coupon.id, coupon]));
      this.list = list;
    }
  }

  find(couponId: number): Coupon | undefined {
    return this.coupons.get(couponId);
  }

  /** The same list as long as nothing in it changes; by id. */
  get all(): readonly Coupon[] {
    return this.list ?? [];
  }

  get isLoaded(): boolean {
    return this.list !== undefined;
  }

  /** Why nothing can be found in it, in words; `undefined` once it was read. */
  problem(): string | undefined {
    return this.isLoaded ? undefined : 'the coupons have not been read from MySQL yet';
  }
}
