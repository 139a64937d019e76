import { expect } from 'vitest';
import { keptLines } from '../../../test/harness/kept-lines.ts';
import { TestGate } from '../../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { TestLog } from '../../../test/harness/stores/test-log.ts';
import { testKafka } from '../../../test/harness/stores/test-topics.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { parseRequestRecord } from '#coupon/events.ts';
import { readTopic } from '#event-log/inspect/log-reader.ts';
import { Loop } from '#platform/work/loop.ts';
import { Telemetry } from '#platform/telemetry/telemetry.ts';
import { GateRebuild } from './gate-rebuild.ts';
import { GateSurvey } from '../gates/gate-survey.ts';
import { Recovery } from './recovery.ts';
import { RecoveryMarkers } from './recovery-markers.ts';
import { RecoveryProgress } from './recovery-progress.ts';
import { RecoveryStart } from './recovery-start.ts';

/** Stores in which gates get lost, a keeper that recovers them, and issuers that work when they are told to. */
export class RecoveryScene {
  readonly ledger = new TestLedger();
  readonly here = new TestGate();
  readonly log = new TestLog();
  private readonly kept = keptLines();
  readonly lines = this.kept.lines;
  private loops: Loop[] = [];
  /** Markers of earlier tests are still in the log: no id comes twice. */
  private lastCouponId = 0;

  async start(): Promise<void> {
    await Promise.all([this.ledger.start(), this.here.start(), this.log.start()]);
  }

  /** A recovery looks at every coupon there is. */
  async begin(): Promise<void> {
    await this.ledger.query('DELETE FROM issuance');
    await this.ledger.query('DELETE FROM coupon');
    await this.here.removeKeys();
    this.lines.length = 0;
  }

  async end(): Promise<void> {
    await Promise.all(this.loops.splice(0).map((loop) => loop.stop()));
  }

  async close(): Promise<void> {
    await Promise.all([this.ledger.close(), this.here.close(), this.log.close()]);
  }

  /** That of one keeper, as `createDuties` puts it together, which knows what coupons there are. */
  async recovery(gate = this.here.gate, coupons = this.ledger.coupons): Promise<Recovery> {
    const { issuances, connection } = this.ledger;
    const { logger } = this.kept;
    const progress = new RecoveryProgress(logger, new Telemetry('test', false));
    const recovery = new Recovery(
      new GateSurvey(coupons, gate, logger),
      connection,
      issuances,
      new RecoveryStart(coupons, gate, (id, error) => progress.failed(`coupon ${id}`, error)),
      () =>
        new RecoveryMarkers(coupons, this.log.log, (partition, error) =>
          progress.failed(`partition ${partition}`, error),
        ),
      new GateRebuild(coupons, issuances, gate, (holders) => progress.staged(holders)),
      progress,
    );
    await recovery.run(new AbortController().signal);
    return recovery;
  }

  /** Does it again and again, as a keeper does, until the end of the test at the latest. */
  keepDoing(recovery: Recovery): Loop {
    const duty = (signal: AbortSignal): Promise<void> => recovery.run(signal);
    const loop = new Loop('recovery', 20, duty, this.kept.logger);
    this.loops.push(loop);
    loop.start();
    return loop;
  }

  async createCoupon(kafkaPartition = 0): Promise<Coupon> {
    this.lastCouponId += 1;
    return this.ledger.createCoupon({ id: this.lastCouponId, kafkaPartition });
  }

  async openCoupon(kafkaPartition = 0): Promise<Coupon> {
    const coupon = await this.createCoupon(kafkaPartition);
    await this.here.rebuild(coupon, []);
    return coupon;
  }

  /** What was said of the recovery. */
  readonly said = (): string[] =>
    this.lines.map(({ msg }) => msg).filter((msg) => msg.startsWith('recovery'));

  /** Lets the issuers work until these gates are open; returns the epochs they are open in. */
  async untilOpen(ids: number[], ...partitions: number[]): Promise<number[]> {
    const inspectAll = () => Promise.all(ids.map((id) => this.here.gate.inspect(id)));
    await expect
      .poll(
        async () => {
          await this.decideAll(partitions);
          return (await inspectAll()).map(({ gate }) => gate);
        },
        { interval: 100 },
      )
      .toEqual(ids.map(() => 'open'));
    return (await inspectAll()).map(({ epoch }) => epoch);
  }

  /** What the issuers of these partitions do with all that is in the log. */
  private async decideAll(partitions: number[]): Promise<void> {
    await readTopic(testKafka(), this.log.topics.requested, async ({ value }, partition) => {
      const record = parseRequestRecord(value);
      if (record.kind === 'marker' && partitions.includes(partition)) {
        await this.ledger.issuances.applyMarker(record.marker);
      } else if (record.kind === 'request' && partitions.includes(partition)) {
        await this.ledger.issuances.decideChunk([record.request]);
      }
    });
  }
}
