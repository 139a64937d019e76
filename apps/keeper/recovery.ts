import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Coupon } from '#coupon/coupon.js';
import { IssuanceLog } from '#event-log/issuance-log.js';
import { CouponLedger } from '#ledger/coupon-ledger.js';
import { runExclusively } from '#ledger/exclusive.js';
import { IssuanceLedger } from '#ledger/issuance-ledger.js';
import type { LedgerConnection } from '#ledger/ledger-connection.js';
import type { Logger } from '#platform/logging.js';
import { Gate } from '#reservation/gate.js';
import type { GateSurvey, SurveyedCoupon } from './gate-survey.js';

/** A coupon whose gate is being opened again, in the epoch the recovery has given it. */
interface Recovering {
  couponId: number;
  kafkaPartition: number;
  epoch: number;
}

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
  constructor(
    private readonly survey: GateSurvey,
    private readonly connection: LedgerConnection,
    private readonly coupons: CouponLedger,
    private readonly issuances: IssuanceLedger,
    private readonly gate: Gate,
    private readonly log: IssuanceLog,
    private readonly logger: Logger,
  ) {}

  /** Recovers every gate that is not open; returns when all are, or rejects to be tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { coupons } = await this.survey.take();
    if (coupons.some(isShut)) {
      await runExclusively(this.connection, 'recovery', () => this.recoverAll(signal));
    }
  }

  private async recoverAll(signal: AbortSignal): Promise<void> {
    // Looked at again under the lock: another keeper may just have opened them.
    const { coupons } = await this.survey.take();
    const shut = coupons.filter(isShut).sort(openCampaignsFirst);
    if (shut.length === 0) {
      return;
    }
    const startedAt = performance.now();
    this.logger.warn({ coupons: shut.length }, 'recovery begins');

    const recovering = await this.beginEpochs(shut);
    // 3. Markers. Requests of an older epoch that reach the log behind them are void. A crash here
    //    leaves the gates shut; the next recovery begins again, one epoch later.
    await this.log.publishMarkers(recovering);
    const opened = await this.openAsApplied(recovering, signal);
    const seconds = (performance.now() - startedAt) / 1_000;
    this.logger.warn({ coupons: shut.length, opened, seconds }, 'recovery done');
  }

  /** Steps 1 and 2. */
  private async beginEpochs(shut: SurveyedCoupon[]): Promise<Recovering[]> {
    const recovering: Recovering[] = [];
    for (const { coupon, gate } of shut) {
      const epoch = Math.max(coupon.epoch, gate.minEpoch, gate.epoch) + 1;
      // 1. MySQL first: it is what a recovery that overtakes this one will see.
      if (!(await this.coupons.raiseEpoch(coupon.id, epoch))) {
        continue;
      }
      // 2. Redis: nothing of an older epoch is confirmed from here on.
      if ((await this.gate.fence(coupon.id, epoch)) === epoch) {
        recovering.push({ couponId: coupon.id, kafkaPartition: coupon.kafkaPartition, epoch });
      }
    }
    return recovering;
  }

  /**
   * 4. Wait for the issuer: once it has applied a coupon's marker, whatever was acknowledged before it
   * is in MySQL. Each coupon opens as soon as its own marker is applied: a partition that is stuck
   * holds up only its own. Returns how many were opened; rejects when some were left waiting.
   */
  private async openAsApplied(recovering: Recovering[], signal: AbortSignal): Promise<number> {
    const deadline = performance.now() + appliedTimeoutMs;
    const waiting = new Map(recovering.map((one) => [one.couponId, one]));
    let opened = 0;
    for (;;) {
      signal.throwIfAborted();
      for (const one of await this.findApplied(waiting)) {
        waiting.delete(one.couponId);
        opened += (await this.rebuild(one)) ? 1 : 0;
      }
      if (waiting.size === 0) {
        return opened;
      }
      if (performance.now() > deadline) {
        throw new Error(
          `no issuer has applied the markers of ${waiting.size} coupons: is one running?`,
        );
      }
      await delay(appliedPollMs);
    }
  }

  private async findApplied(waiting: ReadonlyMap<number, Recovering>): Promise<Recovering[]> {
    const coupons = await this.coupons.list();
    const appliedEpochs = new Map(coupons.map(({ id, appliedEpoch }) => [id, appliedEpoch]));
    return [...waiting.values()].filter(
      ({ couponId, epoch }) => (appliedEpochs.get(couponId) ?? 0) >= epoch,
    );
  }

  /** Steps 5 and 6. False when another recovery has overtaken this one, or Redis went away again. */
  private async rebuild({ couponId, epoch }: Recovering): Promise<boolean> {
    // 5. Claim, and only then look at MySQL's epoch: a recovery that begins after this look finds the
    //    claim already made and takes it over; one that began before it is seen here.
    const token = randomUUID();
    const runId = await this.gate.claim(couponId, token);
    const coupon = await this.coupons.find(couponId);
    if (coupon?.epoch !== epoch) {
      return false;
    }
    for await (const slice of this.issuances.holders(couponId)) {
      if (!(await this.gate.stage(couponId, token, slice))) {
        return false;
      }
    }
    // 6. Open, all at once. Anything that changed meanwhile makes it a no.
    return this.gate.open(coupon, token, runId);
  }
}

function isShut({ gate }: SurveyedCoupon): boolean {
  return gate.gate !== 'open';
}

function openCampaignsFirst(a: SurveyedCoupon, b: SurveyedCoupon): number {
  const rank = ({ state }: Coupon): number => (state === 'open' ? 0 : 1);
  return rank(a.coupon) - rank(b.coupon);
}
