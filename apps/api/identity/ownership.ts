import { GroupCommit } from '#admission/group-commit.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { reservedAtOf } from '#coupon/issuance.ts';
import { redisFailure } from '#gate/checks/redis-failure.ts';
import type { Gate } from '#gate/gate.ts';
import type { StatusHints } from '#gate/status-hints.ts';
import type { Failure } from '#platform/failures/failure.ts';
import type { CouponCatalogue } from '../coupon/coupon-catalogue.ts';
import { overloadedIfNotSent } from '../http/overload/overloaded.ts';
import type { DecidedLookups } from '../waiting/decided-lookups.ts';
import { cannotTellWhose } from './identity-problems.ts';

/** Some 150 bytes each. */
const rememberedMax = 50_000;
const looksTogetherMax = 500;

/** The coupons there are, whether all of their gates are open, and if not why. */
interface Look {
  coupons: readonly Coupon[];
  shut: Failure | undefined;
}

/**
 * Whether an issuance is of a user. While it is not decided no store has its user under its id, but the
 * gates have what a user holds; once it is decided, MySQL has it.
 *
 * Who is not the owner must not learn whether there is such an issuance, by the answer or by the time
 * it takes: for him the same is asked and the same is answered, in the same order, whether it is of
 * somebody else or of nobody. So only what was found for its owner is remembered, and only for him.
 */
export class Ownership {
  private readonly remembered = new Set<string>();
  private readonly looks: GroupCommit<0, undefined, Look>;

  constructor(
    private readonly gate: Gate,
    private readonly hints: StatusHints,
    private readonly lookups: DecidedLookups,
    private readonly catalogue: CouponCatalogue,
    waitMaxMs: number,
  ) {
    // However many strangers ask, the gates are looked at once at a time.
    this.looks = new GroupCommit(
      async (_, askers) => {
        const look = await this.look();
        return askers.map(() => look);
      },
      { batchSizeMax: looksTogetherMax, inFlightMax: 1, waitMaxMs },
    );
  }

  /** Throws UNAVAILABLE when nobody can tell, and OVERLOADED; rejects when MySQL is needed and away. */
  async isOf(userId: string, issuanceId: string): Promise<boolean> {
    const name = `${issuanceId}${userId}`;
    if (this.remembered.has(name)) {
      return true;
    }
    const isOwner = await this.find(userId, issuanceId);
    if (isOwner) {
      this.remember(name);
    }
    return isOwner;
  }

  private async find(userId: string, issuanceId: string): Promise<boolean> {
    const reservedAt = reservedAtOf(issuanceId);
    if (reservedAt === undefined) {
      return false;
    }
    // The watermark is read before MySQL: what it vouches for was in MySQL by then.
    const [hint, watermark, held] = await Promise.allSettled([
      this.hints.read(issuanceId),
      this.hints.readWatermark(),
      this.isHeld(userId, issuanceId, this.catalogue.all),
    ]);
    if (valueOf(held) === true || valueOf(hint)?.userId === userId) {
      return true;
    }
    // What is decided is told by MySQL alone; what may be under way is held, if all gates tell.
    const mayBeUnderWay = reservedAt >= (valueOf(watermark) ?? -Infinity);
    const search = mayBeUnderWay ? await this.searchGates(userId, issuanceId) : undefined;
    if (search === 'held' || (await this.lookups.find(issuanceId))?.userId === userId) {
      return true;
    }
    if (search !== undefined) {
      throw cannotTellWhose(search);
    }
    return false;
  }

  /**
   * Nothing when all gates say that the user does not hold it; why nobody can tell, when one does not say.
   * Each is asked whether it is open after it was asked for the holder, and both before MySQL is: a gate
   * that was rebuilt in between has opened when everything acknowledged was in MySQL.
   */
  private async searchGates(
    userId: string,
    issuanceId: string,
  ): Promise<Failure | 'held' | undefined> {
    let coupons = this.catalogue.all;
    for (;;) {
      try {
        if (await this.isHeld(userId, issuanceId, coupons)) {
          return 'held';
        }
      } catch (error) {
        return redisFailure(error);
      }
      const look = await this.lookAtGates();
      if (look.coupons === coupons) {
        return look.shut;
      }
      // There is a new coupon: it may be of that one.
      coupons = look.coupons;
    }
  }

  private async lookAtGates(): Promise<Look> {
    try {
      return await this.looks.add(0, undefined);
    } catch (error) {
      throw overloadedIfNotSent(error, 'gate_lane');
    }
  }

  private async isHeld(
    userId: string,
    issuanceId: string,
    coupons: readonly Coupon[],
  ): Promise<boolean> {
    const held = await Promise.all(coupons.map(({ id }) => this.gate.heldBy(id, [userId])));
    return held.some(([id]) => id === issuanceId);
  }

  private async look(): Promise<Look> {
    await this.catalogue.refresh();
    const coupons = this.catalogue.all;
    try {
      const gates = await Promise.all(coupons.map(({ id }) => this.gate.inspect(id)));
      const isShut = gates.some(({ gate }) => gate !== 'open');
      return { coupons, shut: isShut ? { cause: 'gate_shut' } : undefined };
    } catch (error) {
      return { coupons, shut: redisFailure(error) };
    }
  }

  private remember(name: string): void {
    if (this.remembered.size >= rememberedMax) {
      this.remembered.delete(this.remembered.keys().next().value!);
    }
    this.remembered.add(name);
  }
}

function valueOf<T>(settled: PromiseSettledResult<T>): T | undefined {
  return settled.status === 'fulfilled' ? settled.value : undefined;
}
