import { randomUUID } from 'node:crypto';
import type { Coupon } from '#coupon/coupon.ts';
import type { CouponChange, CouponLedger, NewCoupon } from '#ledger/coupon-ledger.ts';
import { isDuplicateKey } from '#ledger/driver-error.ts';
import type { Gate } from '#gate/gate.ts';
import { untilOpen } from '#gate/until-open.ts';
import { CouponError } from './coupon-error.ts';

export type CouponDraft = Omit<NewCoupon, 'kafkaPartition'>;

const attemptsMax = 10;
const gateWaitMs = 30_000;

/**
 * Opens, changes and closes coupons. Each change has a version and reaches MySQL and the gate;
 * whoever dies in between leaves the rest to the keeper. Methods throw `CouponError` for what the
 * manager can mend, and reject otherwise when a store is away.
 */
export class CouponAdministration {
  constructor(
    private readonly coupons: CouponLedger,
    private readonly gate: Gate,
  ) {}

  /** Returns once the gate is open: a request sent now is answered. */
  async create(draft: CouponDraft, partitionCount: number): Promise<Coupon> {
    const kafkaPartition = leastUsedPartition(await this.coupons.list(), partitionCount);
    const coupon = await this.coupons
      .create({ ...draft, kafkaPartition })
      .catch((error: unknown) => {
        throw isDuplicateKey(error) ? new CouponError(`coupon ${draft.id} exists already`) : error;
      });
    const isOpen =
      (await this.openFirstEpoch(coupon)) || (await untilOpen(this.gate, coupon.id, gateWaitMs));
    if (!isOpen) {
      throw new CouponError(
        `coupon ${coupon.id} is created, but its gate does not open: are a keeper and an issuer running?`,
      );
    }
    return coupon;
  }

  async find(couponId: number): Promise<Coupon> {
    const coupon = await this.coupons.find(couponId);
    if (coupon === null) {
      throw new CouponError(`there is no coupon ${couponId}`);
    }
    return coupon;
  }

  pause(couponId: number): Promise<Coupon> {
    return this.changeState(couponId, 'pause', 'paused');
  }

  resume(couponId: number): Promise<Coupon> {
    return this.changeState(couponId, 'resume', 'open');
  }

  /** For good: a closed coupon is never opened again. */
  close(couponId: number): Promise<Coupon> {
    return this.changeState(couponId, 'close', 'closed');
  }

  /** Throws when more are held already than the new total. */
  setTotal(couponId: number, total: number): Promise<Coupon> {
    return this.untilMade(couponId, (coupon, version) =>
      total < coupon.total
        ? this.lowerTotal(coupon, total, version)
        : this.inLedgerFirst(coupon, {
            action: 'set-total',
            total,
            version,
            asRead: coupon.version,
          }),
    );
  }

  /**
   * No request of a new coupon can be in the log, so its first epoch needs no marker. Unless a gate
   * of this id stands in Redis already, left by a database that is gone: then it is fenced off, for
   * the keeper to recover. A keeper that wants to recover the new coupon, because its gate is long in
   * coming, waits until it is opened here, or is waited for. False when the gate is not open yet.
   */
  private openFirstEpoch(coupon: Coupon): Promise<boolean> {
    return this.coupons.beforeRecovery(coupon, async () => {
      const { epoch, minEpoch } = await this.gate.inspect(coupon.id);
      if (Math.max(epoch, minEpoch) >= coupon.epoch) {
        await this.gate.fence(coupon.id, Math.max(epoch, minEpoch) + 1);
        return false;
      }
      const token = randomUUID();
      await this.gate.fence(coupon.id, coupon.epoch);
      const runId = await this.gate.claim(coupon.id, coupon.epoch, token);
      return runId !== undefined && this.gate.open(coupon, token, runId);
    });
  }

  private changeState(
    couponId: number,
    action: CouponChange['action'],
    state: Coupon['state'],
  ): Promise<Coupon> {
    return this.untilMade(couponId, (coupon, version) => {
      if (coupon.state === 'closed' && state !== 'closed') {
        throw new CouponError(`coupon ${couponId} is closed, which is final`);
      }
      return this.inLedgerFirst(coupon, { action, state, version, asRead: coupon.version });
    });
  }

  /** Tries again when another change, or a recovery, came first. */
  private async untilMade(
    couponId: number,
    change: (coupon: Coupon, version: number) => Promise<boolean>,
  ): Promise<Coupon> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const coupon = await this.find(couponId);
      if (coupon.archivedAt !== null) {
        throw new CouponError(`coupon ${couponId} is archived: unarchive it first`);
      }
      const { version: gateVersion } = await this.gate.inspect(couponId);
      if (await change(coupon, Math.max(coupon.version, gateVersion) + 1)) {
        return this.find(couponId);
      }
    }
    throw new CouponError(`coupon ${couponId} is being changed by others: try again`);
  }

  /** MySQL first: the gate never promises more than MySQL allows. */
  private async inLedgerFirst(coupon: Coupon, change: CouponChange): Promise<boolean> {
    if (!(await this.coupons.change(coupon.id, change))) {
      return false;
    }
    // A crash here leaves the gate behind MySQL, for the keeper; a fenced gate will open with it.
    await this.gate.applyCoupon(await this.find(coupon.id));
    return true;
  }

  /**
   * The gate first: MySQL must never allow less than what the gate has promised. But the version is
   * taken from MySQL before: two changes of one version would each keep the other from the gate, and
   * one based on an older look could open a gate that was paused meanwhile.
   */
  private async lowerTotal(coupon: Coupon, total: number, version: number): Promise<boolean> {
    // A crash here leaves the gate behind MySQL by a version that changes nothing.
    if (!(await this.coupons.takeVersion(coupon, version))) {
      return false;
    }
    const outcome = await this.gate.applyCoupon({ ...coupon, total, version });
    switch (outcome.kind) {
      case 'applied':
        // A crash here leaves the gate below MySQL: nothing is promised that cannot be kept. The
        // epoch rules out that a recovery has opened the gate with the old total in between.
        return this.coupons.change(coupon.id, {
          action: 'set-total',
          total,
          version,
          asRead: version,
          inEpoch: outcome.epoch,
        });
      case 'below_holders':
        throw new CouponError(
          `${outcome.holders} of coupon ${coupon.id} are taken already: the total cannot be ${total}`,
        );
      case 'fenced':
        throw new CouponError(`coupon ${coupon.id} is being recovered: try again in a moment`);
      case 'stale':
        return false;
    }
  }
}

function leastUsedPartition(coupons: Coupon[], partitionCount: number): number {
  const uses = Array.from({ length: partitionCount }, () => 0);
  for (const { kafkaPartition } of coupons) {
    uses[kafkaPartition] = (uses[kafkaPartition] ?? 0) + 1;
  }
  const candidates = uses.slice(0, partitionCount);
  return candidates.indexOf(Math.min(...candidates));
}
