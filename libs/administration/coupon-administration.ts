import type { Coupon } from '#coupon/coupon.ts';
import type { CouponTimes } from './coupon-terms.ts';
import { problemOfName, problemOfTimes, withClosingTime } from './coupon-terms.ts';
import type { Gate } from '#gate/gate.ts';
import type { CouponChange, CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import type { CouponDraft } from './coupon-creator.ts';
import { CouponCreator } from './coupon-creator.ts';
import { CouponError } from './coupon-error.ts';

const attemptsMax = 10;

/**
 * Opens, changes and closes coupons. Each change has a version and reaches MySQL and the gate;
 * whoever dies in between leaves the rest to the keeper. Methods throw `CouponError` for what the
 * manager can mend, and reject otherwise when a store is away.
 */
export class CouponAdministration {
  private readonly creator: CouponCreator;

  constructor(
    private readonly coupons: CouponLedger,
    private readonly gate: Gate,
  ) {
    this.creator = new CouponCreator(coupons, gate);
  }

  /** Returns once the gate is open: a request sent now is answered. */
  create(draft: CouponDraft, partitionCount: number): Promise<Coupon> {
    return this.creator.create(draft, partitionCount);
  }

  /** See `CouponCreator.createIfAbsent`. */
  createIfAbsent(draft: CouponDraft & { id: number }, partitionCount: number): Promise<Coupon> {
    return this.creator.createIfAbsent(draft, partitionCount);
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
   * Changes the times that are given. No promise hangs on them, so MySQL comes first whichever way they
   * move: a gate alone that opened early would be shut again by a recovery, and nobody would finish it.
   * Until when it is valid may change of a coupon that is closed, too: that is about those who have one.
   */
  setTimes(couponId: number, times: Partial<CouponTimes>): Promise<Coupon> {
    return this.untilMade(couponId, (coupon, version) => {
      const changed =
        coupon.state === 'closed' ? timesOfClosed(coupon, times) : timesOfOpen(coupon, times);
      const asRead = coupon.version;
      return this.inLedgerFirst(coupon, { action: 'set-times', ...changed, version, asRead });
    });
  }

  /** Of a coupon in any state: its name is for people only. */
  rename(couponId: number, name: string): Promise<Coupon> {
    return this.untilMade(couponId, (coupon, version) => {
      refuseIf(problemOfName(name));
      const asRead = coupon.version;
      return this.inLedgerFirst(coupon, { action: 'rename', name, version, asRead });
    });
  }

  private changeState(
    couponId: number,
    action: CouponChange['action'],
    state: Coupon['state'],
  ): Promise<Coupon> {
    return this.untilMade(couponId, (coupon, version) => {
      if (state !== 'closed') {
        refuseIfClosed(coupon);
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

/** Those that change. */
function timesOfOpen(coupon: Coupon, times: Partial<CouponTimes>): Partial<CouponTimes> {
  const { opensAt, closesAt, validUntil } = withClosingTime({ ...coupon, ...times });
  refuseIf(problemOfTimes(opensAt, closesAt, validUntil));
  return { ...times, closesAt };
}

/** When it would have opened and closed is final, and matters no more. */
function timesOfClosed(
  coupon: Coupon,
  { validUntil = coupon.validUntil, ...others }: Partial<CouponTimes>,
): Partial<CouponTimes> {
  if (Object.values(others).some((time) => time !== undefined)) {
    refuseIfClosed(coupon);
  }
  refuseIf(problemOfTimes(null, validUntil, validUntil));
  return { validUntil };
}

function refuseIfClosed({ id, state }: Coupon): void {
  refuseIf(state === 'closed' ? `coupon ${id} is closed, which is final` : undefined);
}

function refuseIf(problem: string | undefined): void {
  if (problem !== undefined) {
    throw new CouponError(problem);
  }
}
