import type { CouponEpoch } from '#event-log/publish/issuance-log.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { faultPoint } from '#platform/process/fault-point.ts';
import { Gate } from '#gate/gate.ts';
import type { SurveyedCoupon } from '../gates/gate-survey.ts';

/** The first half of a recovery: new epochs, for many coupons of one partition at once. */
export class RecoveryStart {
  constructor(
    private readonly coupons: CouponLedger,
    private readonly gate: Gate,
    /** One coupon that fails holds up no other: it is left out, and found shut again. */
    private readonly onFailure: (couponId: number, error: unknown) => void,
  ) {}

  /**
   * Steps 1 and 2. Leaves out a coupon that is open meanwhile, or that a newer recovery has fenced, or
   * whose gate cannot be fenced.
   */
  async run(shut: readonly SurveyedCoupon[]): Promise<CouponEpoch[]> {
    const ids = shut.map(({ coupon }) => coupon.id);
    // 1. MySQL first: it is what a recovery that overtakes this one will see.
    const epochs = await this.coupons.raiseEpochs(ids, () => this.epochsOfShut(ids));
    faultPoint('recovery.raised');
    // 2. Redis: nothing of an older epoch is confirmed from here on.
    const fenced = await this.each(
      shut.map(({ coupon }) => coupon).filter(({ id }) => epochs.has(id)),
      ({ id }) => id,
      async ({ id, kafkaPartition }) => {
        const epoch = epochs.get(id)!;
        return (await this.gate.fence(id, epoch)) === epoch
          ? { couponId: id, kafkaPartition, epoch }
          : undefined;
      },
    );
    faultPoint('recovery.fenced');
    return fenced;
  }

  /** The epochs that shut gates have seen. One may be open by now: its coupon was just created. */
  private async epochsOfShut(couponIds: number[]): Promise<Map<number, number>> {
    const seen = await this.each(
      couponIds,
      (id) => id,
      async (id) => {
        const { gate, epoch, minEpoch } = await this.gate.inspect(id);
        return gate === 'open' ? undefined : ([id, Math.max(epoch, minEpoch)] as const);
      },
    );
    return new Map(seen);
  }

  private async each<Item, Result>(
    items: readonly Item[],
    idOf: (item: Item) => number,
    work: (item: Item) => Promise<Result | undefined>,
  ): Promise<Result[]> {
    const results = await Promise.all(
      items.map((item) =>
        work(item).catch((error: unknown) => {
          this.onFailure(idOf(item), error);
          return undefined;
        }),
      ),
    );
    return results.filter((result) => result !== undefined);
  }
}
