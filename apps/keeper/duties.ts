import { CouponArchive } from '#administration/coupon-archive.ts';
import type { RedisConnection } from '#gate/redis-connection.ts';
import { Loop } from '#platform/work/loop.ts';
import type { ProcessContext } from '#platform/process/run-process.ts';
import type { Stores } from '#stores/stores.ts';
import { Archiving } from './retention/archiving.ts';
import { CouponMetrics } from './metrics/coupon-metrics.ts';
import { CouponSync } from './gates/coupon-sync.ts';
import { DeadLetterMetrics } from './metrics/dead-letter-metrics.ts';
import { DecidedWatermark } from './gates/decided-watermark.ts';
import { Expiry } from './retention/expiry.ts';
import { GateRebuild } from './recovery/gate-rebuild.ts';
import { GateSurvey } from './gates/gate-survey.ts';
import { LagMetrics } from './metrics/lag-metrics.ts';
import { MysqlMetrics } from './metrics/mysql-metrics.ts';
import { Recovery } from './recovery/recovery.ts';
import { RecoveryMarkers } from './recovery/recovery-markers.ts';
import { RecoveryProgress } from './recovery/recovery-progress.ts';
import { RecoveryStart } from './recovery/recovery-start.ts';
import { RedisMetrics } from './metrics/redis-metrics.ts';
import { Relay } from './gates/relay.ts';

type KeeperStores = Stores<'gate' | 'ledger' | 'publisher'>;

/** What the keeper does again and again, each in a loop of its own, none of them started yet. */
export function createDuties(
  context: ProcessContext,
  stores: KeeperStores,
  jobStore: RedisConnection,
): Loop[] {
  const survey = new GateSurvey(stores.coupons, stores.gate, context.logger);
  return [
    ...gateDuties(context, stores, survey),
    recoveryDuty(context, stores, survey),
    ...retentionDuties(context, stores),
    ...metricsDuties(context, stores, survey, jobStore),
  ];
}

function gateDuties(
  { config, logger, traces }: ProcessContext,
  { gate, hints, issuanceLog, issuers }: KeeperStores,
  survey: GateSurvey,
): Loop[] {
  const relay = new Relay(survey, gate, issuanceLog, config.RELAY_AFTER_MS, logger, traces);
  const sync = new CouponSync(survey, gate, logger);
  const watermark = new DecidedWatermark(survey, issuers, hints);
  return [
    new Loop('relay', 1_000, () => relay.run(), logger),
    new Loop('coupon sync', 1_000, () => sync.run(), logger),
    new Loop('decided watermark', 1_000, (signal) => watermark.run(signal), logger),
  ];
}

function recoveryDuty(
  { logger, telemetry }: ProcessContext,
  { coupons, gate, issuanceLog, issuances, ledger }: KeeperStores,
  survey: GateSurvey,
): Loop {
  const progress = new RecoveryProgress(logger, telemetry);
  const rebuild = new GateRebuild(coupons, issuances, gate, (holders) => progress.staged(holders));
  const recovery = new Recovery(
    survey,
    ledger,
    issuances,
    new RecoveryStart(coupons, gate, (id, error) => progress.failed(`coupon ${id}`, error)),
    () =>
      new RecoveryMarkers(coupons, issuanceLog, (partition, error) =>
        progress.failed(`partition ${partition}`, error),
      ),
    rebuild,
    progress,
  );
  return new Loop('recovery', 500, (signal) => recovery.run(signal), logger);
}

function retentionDuties(
  { config, logger }: ProcessContext,
  { admin, archived, coupons, expired, gate, issuers, keyspace }: KeeperStores,
): Loop[] {
  const archive = new CouponArchive(coupons, archived, gate, issuers);
  const archiveAfterMs = config.ARCHIVE_AFTER_H * 3_600_000;
  const archiving = new Archiving(
    archive,
    archived,
    coupons,
    gate,
    keyspace,
    archiveAfterMs,
    logger,
  );
  const lives = {
    refusal: config.REFUSAL_KEEP_DAYS,
    dead_letter: config.DEAD_LETTER_KEEP_DAYS,
    coupon_change: config.COUPON_CHANGE_KEEP_DAYS,
  };
  const expiry = new Expiry(expired, admin, issuers.topic, lives, logger);
  return [
    new Loop('archiving', 10_000, (signal) => archiving.archiveEnded(signal), logger),
    new Loop('leftovers of archiving', 2_000, () => archiving.removeLeftovers(), logger),
    new Loop('expiry', 10_000, (signal) => expiry.run(signal), logger),
  ];
}

function metricsDuties(
  { config, logger, telemetry }: ProcessContext,
  { deadLetters, gate, gateConnection, issuers, ledger, recordTimes }: KeeperStores,
  survey: GateSurvey,
  jobStore: RedisConnection,
): Loop[] {
  const ofCoupons = new CouponMetrics(survey, gate, config.METRICS_COUPONS_MAX, telemetry);
  const ofLag = new LagMetrics(issuers, recordTimes, telemetry);
  const ofDeadLetters = new DeadLetterMetrics(deadLetters, telemetry);
  const ofRedis = new RedisMetrics({ gate: gateConnection, jobs: jobStore }, telemetry);
  const ofMysql = new MysqlMetrics(ledger, telemetry);
  return [
    new Loop('gate metrics', 1_000, () => ofCoupons.refresh(), logger),
    new Loop('lag metrics', 1_000, () => ofLag.refresh(), logger),
    new Loop('dead letter metrics', 5_000, () => ofDeadLetters.refresh(), logger),
    new Loop('redis metrics', 2_000, () => ofRedis.refresh(), logger),
    new Loop('mysql metrics', 2_000, () => ofMysql.refresh(), logger),
  ];
}
