import type { Coupon } from '#coupon/coupon.ts';
import type { GateMoment } from '#gate/holdings.ts';

/** More gates than that are not asked for one wallet. */
export const gatesMost = 1_000;
/** A change reaches a gate within a second, or when a store is back; clocks are not that far apart. */
const settledMs = 60_000;

/**
 * The coupons that may have units which are accepted and not decided yet. One that has admitted nobody
 * for a while has none: everything that was accepted before the watermark is in MySQL. So those that
 * have ended, are paused or have not begun cost a wallet nothing, however many they are.
 */
export class RunningCoupons {
  private list: readonly Coupon[] = [];
  private sightings = new Map<number, { version: number; at: number }>();

  /** Of this list, which is the same as long as nothing changes. `isWhole`: none was left out. */
  among(
    list: readonly Coupon[],
    { now, watermark = -Infinity }: Pick<GateMoment, 'now' | 'watermark'>,
  ): { coupons: readonly Coupon[]; isWhole: boolean } {
    if (list !== this.list) {
      this.note(list, now);
    }
    const running = list.filter((coupon) => {
      const since = this.admittedNobodySince(coupon, now);
      return since === undefined || since + settledMs >= watermark;
    });
    return { coupons: running.slice(-gatesMost), isWhole: running.length <= gatesMost };
  }

  private note(list: readonly Coupon[], now: number): void {
    const before = this.sightings;
    this.sightings = new Map(
      list.map(({ id, version }) => {
        const known = before.get(id);
        return [id, known?.version === version ? known : { version, at: now }];
      }),
    );
    this.list = list;
  }

  /** At the latest: as it is now, it was first seen then. */
  private admittedNobodySince({ id, state, opensAt, closesAt }: Coupon, now: number) {
    const seenAt = this.sightings.get(id)!.at;
    if (state !== 'open' || (opensAt !== null && opensAt > now)) {
      return seenAt;
    }
    return closesAt !== null && closesAt <= now ? Math.max(seenAt, closesAt) : undefined;
  }
}
