import { Loop } from '#platform/loop.ts';
import type { ProcessContext } from '#platform/run-process.ts';
import type { Stores } from '#stores/stores.ts';
import { CouponSync } from './coupon-sync.ts';
import { DecidedWatermark } from './decided-watermark.ts';
import { GateRebuild } from './gate-rebuild.ts';
import { GateSurvey } from './gate-survey.ts';
import { KeeperMetrics } from './keeper-metrics.ts';
import { Recovery } from './recovery.ts';
import { RecoveryProgress } from './recovery-progress.ts';
import { Relay } from './relay.ts';

/** What the keeper does again and again, each in a loop of its own, none of them started yet. */
export function createDuties(
  { config, logger, telemetry }: ProcessContext,
  stores: Stores<'gate' | 'ledger' | 'publisher'>,
): Loop[] {
  const { gate, hints, ledger, coupons, issuances, deadLetters, issuers, issuanceLog } = stores;
  const survey = new GateSurvey(coupons, gate);
  const relay = new Relay(coupons, gate, issuanceLog, config.RELAY_AFTER_MS, logger);
  const progress = new RecoveryProgress(logger, telemetry);
  const rebuild = new GateRebuild(coupons, issuances, gate, (holders) => progress.staged(holders));
  const recovery = new Recovery(survey, ledger, coupons, gate, issuanceLog, rebuild, progress);
  const sync = new CouponSync(survey, gate, logger);
  const watermark = new DecidedWatermark(survey, issuers, hints);
  const metrics = new KeeperMetrics(survey, issuers, deadLetters, gate, telemetry);
  return [
    new Loop('relay', 1_000, () => relay.run(), logger),
    new Loop('recovery', 500, (signal) => recovery.run(signal), logger),
    new Loop('coupon sync', 1_000, () => sync.run(), logger),
    new Loop('decided watermark', 1_000, (signal) => watermark.run(signal), logger),
    new Loop('gate metrics', 1_000, () => metrics.refreshGates(), logger),
    new Loop('lag metrics', 1_000, () => metrics.refreshLag(), logger),
    new Loop('dead letter metrics', 5_000, () => metrics.refreshDeadLetters(), logger),
  ];
}
