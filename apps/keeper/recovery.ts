import { setTimeout as delay } from 'node:timers/promises';
import type { Coupon } from '#coupon/coupon.ts';
import type { CouponEpoch } from '#event-log/publish/issuance-log.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import { runExclusively } from '#ledger/exclusive.ts';
import type { LedgerConnection } from '#ledger/ledger-connection.ts';
import { faultPoint } from '#platform/fault-point.ts';
import { inLanes } from '#platform/lanes.ts';
import { inSlices } from '#platform/slices.ts';
import { Gate } from '#gate/gate.ts';
import type { GateRebuild } from './gate-rebuild.ts';
import type { GateSurvey, SurveyedCoupon } from './gate-survey.ts';
import type { RecoveryProgress } from './recovery-progress.ts';

const epochSliceSize = 500;
/** One coupon with a million holders takes a lane for seconds; the small ones pass it. */
const rebuildLanes = 8;
const appliedPollMs = 50;
/** After this the recovery starts over: its marker may never have reached the log. */
const appliedTimeoutMs = 30_000;

/**
 * Opens gates that closed themselves: Redis was restarted, rolled back, emptied or replaced. What was
 * acknowledged is in the log before the marker, so when the issuer has applied the marker, MySQL has
 * all of it, and the gate is built anew from there. Killed at any point, it is replaced by a recovery
 * in the next epoch. Keepers take turns so as not to overtake each other; if they do, it is safe.
 */
export class Recovery {
  /** Coupons that an earlier look has seen. The gate of a newer one is about to be opened by its creator. */
  private known: ReadonlySet<number> = new Set();

  constructor(
    private readonly survey: GateSurvey,
    private readonly connection: LedgerConnection,
    private readonly coupons: CouponLedger,
    private readonly gate: Gate,
    private readonly log: IssuanceLog,
    private readonly rebuild: GateRebuild,
    private readonly progress: RecoveryProgress,
  ) {}

  /** Recovers every gate that is not open; returns when all are, or rejects to be tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { coupons } = await this.survey.recent();
    const known = this.known;
    this.known = new Set(coupons.map(({ coupon }) => coupon.id));
    const shut = coupons.filter((one) => isShut(one) && known.has(one.coupon.id));
    if (shut.length > 0) {
      const ids = new Set(shut.map(({ coupon }) => coupon.id));
      await runExclusively(this.connection, 'recovery', () => this.recoverAll(ids, signal));
    }
  }

  private async recoverAll(ids: ReadonlySet<number>, signal: AbortSignal): Promise<void> {
    // Looked at again under the lock: another keeper may just have opened them.
    const { coupons } = await this.survey.take();
    const shut = coupons
      .filter((one) => isShut(one) && ids.has(one.coupon.id))
      .sort(openCouponsFirst);
    if (shut.length === 0) {
      return;
    }
    this.progress.begin(shut.length);
    try {
      await this.recover(shut, signal);
      this.progress.end();
    } catch (error) {
      this.progress.end(error as Error);
      throw error;
    }
  }

  private async recover(shut: SurveyedCoupon[], signal: AbortSignal): Promise<void> {
    const recovering: CouponEpoch[] = [];
    for (const slice of inSlices(shut, epochSliceSize)) {
      recovering.push(...(await this.beginEpochs(slice)));
    }
    // 3. Markers. Requests of an older epoch that reach the log behind them are void. A crash here
    //    leaves the gates shut; the next recovery begins again, one epoch later.
    await this.log.publishMarkers(recovering);
    faultPoint('recovery.marked');
    await inLanes(this.asApplied(recovering, signal), rebuildLanes, async ({ couponId, epoch }) => {
      if (await this.rebuild.run(couponId, epoch)) {
        this.progress.opened();
      }
    });
  }

  /** Steps 1 and 2. Leaves out a coupon that is open meanwhile, or that a newer recovery has fenced. */
  private async beginEpochs(shut: SurveyedCoupon[]): Promise<CouponEpoch[]> {
    const ids = shut.map(({ coupon }) => coupon.id);
    // 1. MySQL first: it is what a recovery that overtakes this one will see.
    const epochs = await this.coupons.raiseEpochs(ids, () => this.epochsOfShut(ids));
    faultPoint('recovery.raised');
    // 2. Redis: nothing of an older epoch is confirmed from here on.
    const begun = await Promise.all(
      shut.map(async ({ coupon: { id, kafkaPartition } }) => {
        const epoch = epochs.get(id);
        return epoch !== undefined && (await this.gate.fence(id, epoch)) === epoch
          ? [{ couponId: id, kafkaPartition, epoch }]
          : [];
      }),
    );
    faultPoint('recovery.fenced');
    return begun.flat();
  }

  /** The epochs that shut gates have seen. One may be open by now: its coupon was just created. */
  private async epochsOfShut(couponIds: number[]): Promise<Map<number, number>> {
    const gates = await Promise.all(couponIds.map((id) => this.gate.inspect(id)));
    return new Map(
      gates.flatMap(({ gate, epoch, minEpoch }, i) =>
        gate === 'open' ? [] : [[couponIds[i]!, Math.max(epoch, minEpoch)] as const],
      ),
    );
  }

  /**
   * 4. Wait for the issuer: once it has applied a coupon's marker, whatever was acknowledged before it
   * is in MySQL. Yields each coupon as soon as its own marker is applied: a partition that is stuck
   * holds up only its own. Throws when some are left waiting.
   */
  private async *asApplied(
    recovering: CouponEpoch[],
    signal: AbortSignal,
  ): AsyncGenerator<CouponEpoch> {
    const deadline = performance.now() + appliedTimeoutMs;
    const waiting = new Set(recovering);
    for (;;) {
      signal.throwIfAborted();
      for (const one of await this.findApplied(waiting)) {
        waiting.delete(one);
        yield one;
      }
      if (waiting.size === 0) {
        return;
      }
      if (performance.now() > deadline) {
        throw new Error(
          `no issuer has applied the markers of ${waiting.size} coupons: is one running?`,
        );
      }
      await delay(appliedPollMs);
    }
  }

  private async findApplied(waiting: ReadonlySet<CouponEpoch>): Promise<CouponEpoch[]> {
    const coupons = await this.coupons.list();
    const appliedEpochs = new Map(coupons.map(({ id, appliedEpoch }) => [id, appliedEpoch]));
    return [...waiting].filter(
      ({ couponId, epoch }) => (appliedEpochs.get(couponId) ?? 0) >= epoch,
    );
  }
}

function isShut({ gate }: SurveyedCoupon): boolean {
  return gate.gate !== 'open';
}

function openCouponsFirst(a: SurveyedCoupon, b: SurveyedCoupon): number {
  const rank = ({ state }: Coupon): number => (state === 'open' ? 0 : 1);
  return rank(a.coupon) - rank(b.coupon);
}
