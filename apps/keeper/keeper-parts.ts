import { Auditor } from '#audit/auditor.js';
import { LogAdmin } from '#event-log/consumer-lag.js';
import { EventPublisher } from '#event-log/event-publisher.js';
import { IssuanceLog } from '#event-log/issuance-log.js';
import type { Kafka } from '#event-log/kafka-client.js';
import { createKafka } from '#event-log/kafka-client.js';
import { issuerGroup, topicNames } from '#event-log/topics.js';
import { CouponLedger } from '#ledger/coupon-ledger.js';
import { DeadLetterLedger } from '#ledger/dead-letter-ledger.js';
import { IssuanceLedger } from '#ledger/issuance-ledger.js';
import { LedgerConnection } from '#ledger/ledger-connection.js';
import { HealthProbes } from '#platform/health/health-probes.js';
import { toLogFunction } from '#platform/logging.js';
import { Loop } from '#platform/loop.js';
import type { ProcessContext } from '#platform/run-process.js';
import { Gate } from '#reservation/gate.js';
import { GateConnection } from '#reservation/gate-connection.js';
import { StatusHints } from '#reservation/status-hints.js';
import { CampaignSync } from './campaign-sync.js';
import { DecidedWatermark } from './decided-watermark.js';
import { GateRebuild } from './gate-rebuild.js';
import { GateSurvey } from './gate-survey.js';
import { KeeperMetrics } from './keeper-metrics.js';
import { Recovery } from './recovery.js';
import { RecoveryProgress } from './recovery-progress.js';
import { Relay } from './relay.js';

/** Longer than counting tens of millions of rows takes; sooner than TCP tells that a server is gone. */
const ledgerAnswerMs = 60_000;

/** The connections of the keeper, its duties, and what it says of its health. */
export class KeeperParts {
  readonly gateConnection: GateConnection;
  readonly gate: Gate;
  readonly kafka: Kafka;
  readonly publisher: EventPublisher;
  readonly admin: LogAdmin;
  readonly ledgerConnection: LedgerConnection;
  readonly auditor: Auditor;
  readonly loops: Loop[];
  readonly probes: HealthProbes;

  constructor(readonly context: ProcessContext) {
    const { config, logger } = context;
    const log = toLogFunction(logger);
    this.gateConnection = new GateConnection(config);
    this.gate = new Gate(this.gateConnection, config.GATE_KEY_PREFIX);
    this.kafka = createKafka(config, 'firstcome-keeper', log);
    this.publisher = new EventPublisher(this.kafka, {
      publishTimeoutMs: config.PUBLISH_TIMEOUT_MS,
      log,
    });
    this.admin = new LogAdmin(this.kafka);
    this.ledgerConnection = new LedgerConnection(config, { queryTimeoutMs: ledgerAnswerMs });
    this.auditor = new Auditor(
      this.ledgerConnection,
      this.gate,
      this.kafka,
      config.KAFKA_TOPIC_PREFIX,
    );
    this.loops = this.createLoops();
    this.probes = new HealthProbes([
      { name: 'schema', required: true, probe: () => this.ledgerConnection.schemaProblem() },
      { name: 'mysql', required: true, probe: () => this.ledgerConnection.connectionProblem() },
      { name: 'gate', required: true, probe: () => this.gateConnection.problem() },
      { name: 'kafka', required: true, probe: () => this.publisher.problem() },
    ]);
  }

  private createLoops(): Loop[] {
    const { config, logger, telemetry } = this.context;
    const topics = topicNames(config.KAFKA_TOPIC_PREFIX);
    const groupId = issuerGroup(config.KAFKA_TOPIC_PREFIX);
    const coupons = new CouponLedger(this.ledgerConnection);
    const issuanceLog = new IssuanceLog(this.publisher, topics);
    const survey = new GateSurvey(coupons, this.gate);
    const hints = new StatusHints(
      this.gateConnection,
      config.GATE_KEY_PREFIX,
      config.STATUS_HINT_TTL_S,
    );
    const relay = new Relay(coupons, this.gate, issuanceLog, config.RELAY_AFTER_MS, logger);
    const progress = new RecoveryProgress(logger, telemetry);
    const rebuild = new GateRebuild(
      coupons,
      new IssuanceLedger(this.ledgerConnection),
      this.gate,
      (holders) => progress.staged(holders),
    );
    const recovery = new Recovery(
      survey,
      this.ledgerConnection,
      coupons,
      this.gate,
      issuanceLog,
      rebuild,
      progress,
    );
    const sync = new CampaignSync(survey, this.gate, logger);
    const watermark = new DecidedWatermark(survey, this.admin, groupId, topics.requested, hints);
    const metrics = new KeeperMetrics(
      survey,
      this.admin,
      groupId,
      topics.requested,
      new DeadLetterLedger(this.ledgerConnection),
      telemetry,
    );
    return [
      new Loop('relay', 1_000, () => relay.run(), logger),
      new Loop('recovery', 500, (signal) => recovery.run(signal), logger),
      new Loop('campaign sync', 1_000, () => sync.run(), logger),
      new Loop('decided watermark', 1_000, (signal) => watermark.run(signal), logger),
      new Loop('gate metrics', 1_000, () => metrics.refreshGates(), logger),
      new Loop('lag metrics', 1_000, () => metrics.refreshLag(), logger),
      new Loop('dead letter metrics', 5_000, () => metrics.refreshDeadLetters(), logger),
    ];
  }
}
