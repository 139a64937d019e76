import { expect } from 'vitest';
import { aRequestRecord, userIds } from '../fixtures.ts';
import type { StackStores } from './stack-stores.ts';

/** What became of requests that had to be refused. */
export interface RefusedState {
  refusals: number;
  /** Units that are not back in stock. */
  held: number;
}

/**
 * A coupon that the gate has and MySQL has not enough units of, all taken and nobody told so: the
 * requests that it makes for the log are refused, and their units must come back.
 */
export class RefusedUnits {
  readonly users = userIds(20, 'too-late');
  requests: object[] = [];

  private constructor(
    readonly couponId: number,
    private readonly total: number,
    private readonly stores: StackStores,
  ) {}

  static async reserve(stores: StackStores): Promise<RefusedUnits> {
    const [couponId] = await stores.createCoupons(1, 1);
    const { total } = await stores.gate.inspect(couponId!);
    const units = new RefusedUnits(couponId!, total, stores);
    await units.setTotal(0);
    const reserved = await stores.gate.reserve(couponId!, units.users);
    const { epoch, outcomes } = reserved as Extract<typeof reserved, { gate: 'open' }>;
    units.requests = outcomes.map((outcome, i) =>
      aRequestRecord({
        issuanceId: (outcome as { issuanceId: string }).issuanceId,
        couponId: couponId!,
        userId: units.users[i]!,
        epoch,
      }),
    );
    return units;
  }

  async state(): Promise<RefusedState> {
    const [row] = await this.stores.query<{ refusals: number }>(
      'SELECT COUNT(*) AS refusals FROM refusal WHERE coupon_id = ?',
      [this.couponId],
    );
    return { refusals: row!.refusals, held: (await this.holdings()).filter(Boolean).length };
  }

  /** The id each of the users holds at the gate. */
  holdings(): Promise<(string | null)[]> {
    return this.stores.gate.heldBy(this.couponId, this.users);
  }

  /** All units are back, each once, and may be given out from now on. */
  async expectBackInStock(): Promise<void> {
    await expect.poll(() => this.state()).toEqual({ refusals: this.users.length, held: 0 });
    const gate = await this.stores.gate.inspect(this.couponId);
    expect(gate).toMatchObject({ gate: 'open', left: this.total, holders: 0 });
    await this.setTotal(this.total);
  }

  /** Behind the back of the gate. */
  private async setTotal(total: number): Promise<void> {
    await this.stores.query('UPDATE coupon SET total = ? WHERE id = ?', [total, this.couponId]);
  }
}
