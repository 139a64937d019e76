import { setTimeout as delay } from 'node:timers/promises';
import type { Coupon } from '#coupon/coupon.ts';
import type { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import { AuditQueries } from '#ledger/audit-queries.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import type { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import type { Gate } from '#gate/gate.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import { untilOpen } from '#gate/until-open.ts';
import { ViolationList } from './finding.ts';
import { HolderComparison } from './holder-comparison.ts';
import { compareTerms } from './terms-comparison.ts';

/** One coupon, as its gate has it beside MySQL. */
export interface Comparison {
  couponId: number;
  /** Of the gate that was compared. */
  epoch: number;
  /** In words; of many, the first twenty and how many more. */
  differences: string[];
  /** Why it could not be judged, in words; `differences` is empty then. */
  busy?: string;
  /** What makes the gate agree with MySQL. */
  remedy: 'none' | 'apply-terms' | 'rebuild' | 'await-recovery';
}

const differencesToldMax = 20;
/** The keeper brings a changed coupon to its gate every second; a change itself takes less. */
const termsSettleMs = 2_500;

/** Shows where gates differ from MySQL, which is the truth, and makes them agree again. */
export class Reconciler {
  private readonly coupons: CouponLedger;
  private readonly holders: HolderComparison;

  constructor(
    ledger: LedgerConnection,
    private readonly gate: Gate,
    issuers: IssuerProgress,
  ) {
    this.coupons = new CouponLedger(ledger);
    this.holders = new HolderComparison(
      gate,
      new IssuanceLedger(ledger),
      new AuditQueries(ledger),
      issuers,
    );
  }

  /** Changes nothing. Waits at most about `waitMs` for what is on its way to be decided. */
  async compare(coupon: Coupon, { waitMs }: { waitMs: number }): Promise<Comparison> {
    const before = await this.gate.inspect(coupon.id);
    const { epoch } = before;
    if (before.gate !== 'open') {
      const differences = [describeShut(before)];
      return { couponId: coupon.id, epoch, differences, remedy: 'await-recovery' };
    }
    const terms = await this.differingTerms(coupon.id);
    const found = new ViolationList(differencesToldMax);
    const unfinished = await this.holders.run(coupon, found, waitMs);
    const after = await this.gate.inspect(coupon.id);
    const isAnotherGate = after.gate !== 'open' || after.epoch !== epoch;
    const busy = isAnotherGate ? 'its gate was shut meanwhile' : unfinished;
    if (busy !== undefined) {
      return { couponId: coupon.id, epoch, differences: [], busy, remedy: 'none' };
    }
    const ofHolders = found.describe();
    return {
      couponId: coupon.id,
      epoch,
      differences: [...terms.lines, ...ofHolders],
      remedy: ofHolders.length > 0 ? 'rebuild' : terms.remedy,
    };
  }

  /**
   * Makes a gate agree with MySQL, by its own scripts; safe while requests come in, and at any point
   * where it may die. Terms that are behind are applied. Anything else: the gate is fenced, as a
   * recovery does it, and the keeper rebuilds it from MySQL in a later epoch; until then assigns of
   * this coupon get 503 RECOVERING. The fence names the epoch that was compared: a gate that was
   * rebuilt meanwhile stays open. Returns why the gate is not open after `timeoutMs`, in words.
   */
  async repair(comparison: Comparison, timeoutMs: number): Promise<string | undefined> {
    const { couponId, epoch } = comparison;
    let mustRebuild = comparison.remedy === 'rebuild';
    if (comparison.remedy === 'apply-terms') {
      const coupon = await this.coupons.find(couponId);
      const outcome = coupon === null ? undefined : await this.gate.applyCoupon(coupon);
      mustRebuild = outcome?.kind === 'below_holders';
    }
    if (mustRebuild) {
      // A crash here leaves a gate that is shut, which is what a keeper looks for.
      await this.gate.fence(couponId, epoch + 1);
    }
    return (await untilOpen(this.gate, couponId, timeoutMs))
      ? undefined
      : `its gate is shut, and nobody has opened it in ${timeoutMs / 1_000} s: ` +
          'start a keeper and an issuer, or see what they wait for (/health/ready). ' +
          'They open it by themselves';
  }

  /** Only what lasts: a change of the coupon may be on its way to the gate. */
  private async differingTerms(couponId: number): Promise<DifferingTerms> {
    const first = await this.lookAtTerms(couponId);
    if (first.lines.length === 0) {
      return first;
    }
    await delay(termsSettleMs);
    const { lines, remedy } = await this.lookAtTerms(couponId);
    return { lines: lines.filter((line) => first.lines.includes(line)), remedy };
  }

  private async lookAtTerms(couponId: number): Promise<DifferingTerms> {
    const coupon = await this.coupons.find(couponId);
    const terms = await this.gate.terms(couponId);
    if (coupon === null || terms === undefined) {
      return { lines: [], remedy: 'none' };
    }
    const lines = compareTerms(coupon, terms);
    // The gate takes a newer version only, and never another partition.
    const isBehind =
      terms.version < coupon.version && terms.kafkaPartition === coupon.kafkaPartition;
    return { lines, remedy: lines.length === 0 ? 'none' : isBehind ? 'apply-terms' : 'rebuild' };
  }
}

interface DifferingTerms {
  lines: string[];
  remedy: Comparison['remedy'];
}

function describeShut({ gate, left, holders, total }: GateInspection): string {
  if (gate === 'absent') {
    return 'it has no gate: a recovery is due';
  }
  return left + holders === total
    ? 'its gate is shut: a recovery is due'
    : `its gate is shut, ${left} left + ${holders} held is not ${total}: a recovery is due`;
}
