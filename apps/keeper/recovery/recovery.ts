import type { CouponEpoch } from '#event-log/publish/issuance-log.ts';
import { runExclusively } from '#ledger/exclusive.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import type { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import { inSlices } from '#platform/work/slices.ts';
import { pauseFor } from '#platform/work/waiting.ts';
import type { GateRebuild } from './gate-rebuild.ts';
import { OpenUnheardError } from './gate-rebuild.ts';
import type { GateSurvey, SurveyedCoupon } from '../gates/gate-survey.ts';
import type { Rebuildable } from './recovery-lanes.ts';
import { RecoveryLanes } from './recovery-lanes.ts';
import type { RecoveryMarkers } from './recovery-markers.ts';
import { byNeed, demandSample, needOf } from './recovery-order.ts';
import type { RecoveryProgress } from './recovery-progress.ts';
import type { RecoveryStart } from './recovery-start.ts';

/** So many coupons of a partition get their epoch together, and then their marker. */
const startSize = 500;
const lookEveryMs = 500;
const markersPollMs = 50;
/** Where issuers are slow, MySQL is not asked so often. */
const slowMarkersPollMs = 500;
const slowFromSeconds = 3;
/** Another keeper recovers. */
const othersTurnMs = 2_000;
/** Between two attempts to rebuild a gate that does not fit, or whose store was away. */
const restMs = 5_000;

/** A coupon that this keeper has fenced in an epoch, and not opened. */
export interface Recovering extends CouponEpoch, Rebuildable {}

type Shut = SurveyedCoupon & Rebuildable;

/** What is under way while this keeper has the lock. */
interface Session {
  /** By partition: ends when all that was found shut there has an epoch. */
  starts: Map<number, Promise<void>>;
  markers: RecoveryMarkers<Recovering>;
  lanes: RecoveryLanes<Recovering>;
  signal: AbortSignal;
}

/**
 * Opens gates that closed themselves: Redis was restarted, rolled back, emptied or replaced. What was
 * acknowledged is in the log before the marker, so when the issuer has applied the marker, MySQL has
 * all of it, and the gate is built anew from there. Each partition, and each gate, goes on by itself.
 * Killed at any point, it is replaced by a recovery in the next epoch; as long as it lives, it keeps
 * the epoch it has begun. Keepers take turns so as not to overtake each other; if they do, it is safe.
 */
export class Recovery {
  /** Coupons that an earlier look has seen. The gate of a newer one is about to be opened by its creator. */
  private known: ReadonlySet<number> = new Set();
  /** Coupons that are being given an epoch. */
  private readonly starting = new Set<number>();
  /** By coupon; kept when the lock is lost, so that no marker is given up. */
  private readonly inHand = new Map<number, Recovering>();

  constructor(
    private readonly survey: GateSurvey,
    private readonly connection: LedgerConnection,
    private readonly issuances: IssuanceLedger,
    private readonly start: RecoveryStart,
    private readonly newMarkers: () => RecoveryMarkers<Recovering>,
    private readonly rebuild: GateRebuild,
    private readonly progress: RecoveryProgress,
  ) {}

  /** Recovers every gate that is not open; returns when all are, or when `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { coupons } = await this.survey.recent();
    const known = this.known;
    this.known = new Set(coupons.map(({ coupon }) => coupon.id));
    if (coupons.some((one) => isShut(one) && known.has(one.coupon.id))) {
      const ran = await runExclusively(this.connection, 'recovery', (lost) =>
        this.recoverAll(known, AbortSignal.any([signal, lost])),
      );
      await pauseFor(ran ? 0 : othersTurnMs, signal);
    }
  }

  private async recoverAll(known: ReadonlySet<number>, ending: AbortSignal): Promise<void> {
    // Looked at again under the lock: another keeper may just have opened them.
    const first = await this.findShut(known, await this.survey.take());
    if (first.length + this.inHand.size === 0) {
      return;
    }
    const done = new AbortController();
    const signal = AbortSignal.any([ending, done.signal]);
    const markers = this.newMarkers();
    for (const [partition, ones] of Map.groupBy(
      this.inHand.values(),
      (one) => one.kafkaPartition,
    )) {
      markers.add(partition, ones);
    }
    const lanes: RecoveryLanes<Recovering> = new RecoveryLanes((one) =>
      this.rebuildOne(one, lanes, signal),
    );
    const session: Session = { starts: new Map(), markers, lanes, signal };
    this.startAll(first, session);
    this.progress.begin(() => ({
      gates: this.starting.size + this.inHand.size,
      partitions: markers.waitedFor(),
    }));
    await Promise.all([
      this.lookUntilOpen(session).finally(() => done.abort()),
      this.settleMarkers(session),
    ]);
    await Promise.all([...session.starts.values(), markers.drain(), lanes.drain()]);
    this.progress.end();
  }

  /** Gates that shut while others are recovered begin at the next look. */
  private async lookUntilOpen(session: Session): Promise<void> {
    for (;;) {
      await pauseFor(lookEveryMs, session.signal);
      if (session.signal.aborted) {
        return;
      }
      try {
        const survey = await this.survey.take();
        const known = this.known;
        this.known = new Set(survey.coupons.map(({ coupon }) => coupon.id));
        const shut = await this.findShut(known, survey);
        if (shut.length + this.starting.size + this.inHand.size === 0) {
          return;
        }
        this.startAll(shut, session);
      } catch (error) {
        this.progress.failed('what is shut', error);
      }
    }
  }

  /** Those that nobody has in hand, the most needed first. */
  private async findShut(
    known: ReadonlySet<number>,
    { coupons, takenAt }: Awaited<ReturnType<GateSurvey['take']>>,
  ): Promise<Shut[]> {
    const shut = coupons.filter(
      (one) =>
        isShut(one) &&
        known.has(one.coupon.id) &&
        !this.starting.has(one.coupon.id) &&
        !this.inHand.has(one.coupon.id),
    );
    if (shut.length === 0) {
      return [];
    }
    const latest = await this.issuances.latestByCoupon(demandSample);
    return shut
      .map((one) => ({
        ...one,
        need: needOf(one.coupon, takenAt, latest),
        holders: one.coupon.issued,
      }))
      .sort((a, b) => byNeed(a.need, b.need));
  }

  /** One after the other in each partition, and no partition behind another one. */
  private startAll(shut: Shut[], session: Session): void {
    for (const [partition, ones] of Map.groupBy(shut, ({ coupon }) => coupon.kafkaPartition)) {
      for (const some of inSlices(ones, startSize)) {
        some.forEach(({ coupon }) => this.starting.add(coupon.id));
        const before = session.starts.get(partition) ?? Promise.resolve();
        const started = before.then(() => this.startSome(some, partition, session));
        session.starts.set(partition, started);
      }
    }
  }

  /** Steps 1 to 3. Never rejects: what has failed is found shut again. */
  private async startSome(
    some: Shut[],
    partition: number,
    { markers, signal }: Session,
  ): Promise<void> {
    try {
      if (!signal.aborted) {
        const shutById = new Map(some.map((one) => [one.coupon.id, one]));
        const fenced = await this.start.run(some);
        const ones = fenced.map((one) => {
          const { need, holders } = shutById.get(one.couponId)!;
          return { ...one, need, holders };
        });
        ones.forEach((one) => this.inHand.set(one.couponId, one));
        markers.add(partition, ones);
      }
    } catch (error) {
      this.progress.failed(`partition ${partition}`, error);
    } finally {
      some.forEach(({ coupon }) => this.starting.delete(coupon.id));
    }
  }

  /** 4. Each goes on as soon as its own marker is applied. */
  private async settleMarkers({ markers, lanes, signal }: Session): Promise<void> {
    while (!signal.aborted) {
      try {
        const { applied, overtaken } = await markers.settle();
        overtaken.forEach(({ couponId }) => this.inHand.delete(couponId));
        lanes.add(applied);
      } catch (error) {
        this.progress.failed('what waits for issuers', error);
      }
      const waits = markers.waitedFor();
      const isSlow = waits.length > 0 && waits.every(({ seconds }) => seconds >= slowFromSeconds);
      await pauseFor(isSlow ? slowMarkersPollMs : markersPollMs, signal);
    }
  }

  /** Steps 5 and 6. Never rejects: a failure is of this gate only. */
  private async rebuildOne(
    one: Recovering,
    lanes: RecoveryLanes<Recovering>,
    signal: AbortSignal,
  ): Promise<void> {
    const again = (ms: number): void =>
      void pauseFor(ms, signal).then(() => lanes.add(signal.aborted ? [] : [one]));
    try {
      const rebuilt = await this.rebuild.run(one.couponId, one.epoch, signal);
      if (rebuilt === 'interrupted') {
        again(lookEveryMs);
        return;
      }
      if (rebuilt === 'opened') {
        this.progress.opened(one.couponId);
      }
      // One that was overtaken is found shut, and begins again, unless the other has opened it.
      this.inHand.delete(one.couponId);
    } catch (error) {
      if (!signal.aborted) {
        this.progress.failed(`coupon ${one.couponId}`, error);
      }
      if (error instanceof OpenUnheardError) {
        this.inHand.delete(one.couponId);
      } else {
        again(restMs);
      }
    }
  }
}

function isShut({ gate }: SurveyedCoupon): boolean {
  return gate.gate !== 'open';
}
