import { Auditor } from '#audit/auditor.ts';
import { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import { LogAdmin } from '#event-log/inspect/log-admin.ts';
import { EventPublisher } from '#event-log/publish/event-publisher.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import type { Kafka } from '#event-log/kafka-client.ts';
import { createKafka } from '#event-log/kafka-client.ts';
import { topicNames } from '#event-log/topics.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import { DeadLetterLedger } from '#ledger/dead-letter-ledger.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { LedgerConnection } from '#ledger/ledger-connection.ts';
import { HealthProbes } from '#platform/health/health-probes.ts';
import { toLogFunction } from '#platform/logging.ts';
import { Loop } from '#platform/loop.ts';
import type { ProcessContext } from '#platform/run-process.ts';
import { Gate } from '#gate/gate.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { CouponSync } from './coupon-sync.ts';
import { DecidedWatermark } from './decided-watermark.ts';
import { GateRebuild } from './gate-rebuild.ts';
import { GateSurvey } from './gate-survey.ts';
import { KeeperMetrics } from './keeper-metrics.ts';
import { Recovery } from './recovery.ts';
import { RecoveryProgress } from './recovery-progress.ts';
import { Relay } from './relay.ts';

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
      logger: log,
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
    const issuers = new IssuerProgress(this.admin, config.KAFKA_TOPIC_PREFIX);
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
    const sync = new CouponSync(survey, this.gate, logger);
    const watermark = new DecidedWatermark(survey, issuers, hints);
    const metrics = new KeeperMetrics(
      survey,
      issuers,
      new DeadLetterLedger(this.ledgerConnection),
      telemetry,
    );
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
}
