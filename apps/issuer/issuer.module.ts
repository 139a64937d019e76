import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { KafkaBatchTransport } from '#event-log/consume/batch-transport.ts';
import { EventPublisher } from '#event-log/publish/event-publisher.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { createKafka } from '#event-log/kafka-client.ts';
import { issuerGroup, topicNames } from '#event-log/topics.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import { DeadLetterLedger } from '#ledger/dead-letter-ledger.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { LedgerConnection } from '#ledger/ledger-connection.ts';
import { HealthProbes } from '#platform/health/health-probes.ts';
import { toLogFunction } from '#platform/logging.ts';
import type { ProcessContext } from '#platform/run-process.ts';
import { Gate } from '#gate/gate.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { DeadLetters } from './dead-letters.ts';
import { DecideIssuances } from './decide-issuances.ts';
import { IssuanceConsumer } from './issuance-consumer.ts';
import { IssuerMetrics } from './issuer-metrics.ts';

/** The connections of the issuer, and what they say of their health. */
export class IssuerParts {
  readonly gateConnection: GateConnection;
  readonly publisher: EventPublisher;
  readonly ledgerConnection: LedgerConnection;
  readonly transport: KafkaBatchTransport;
  readonly probes: HealthProbes;

  constructor(readonly context: ProcessContext) {
    const { config, logger, fail } = context;
    const log = toLogFunction(logger);
    this.gateConnection = new GateConnection(config);
    this.publisher = new EventPublisher(createKafka(config, 'firstcome-issuer', log), {
      publishTimeoutMs: config.PUBLISH_TIMEOUT_MS,
      logger: log,
    });
    this.ledgerConnection = new LedgerConnection(config, {
      queryTimeoutMs: config.MYSQL_QUERY_TIMEOUT_MS,
    });
    this.transport = new KafkaBatchTransport({
      kafka: createKafka(config, 'firstcome-issuer', log),
      groupId: issuerGroup(config.KAFKA_TOPIC_PREFIX),
      topicPrefix: config.KAFKA_TOPIC_PREFIX,
      wasRead: ({ partition }) => new CouponLedger(this.ledgerConnection).anyDecidedFrom(partition),
      onCrash: (error) => fail('the Kafka consumer is dead; a restart joins the group anew', error),
      logger: log,
    });
    this.probes = new HealthProbes([
      { name: 'schema', required: true, probe: () => this.ledgerConnection.schemaProblem() },
      { name: 'mysql', required: true, probe: () => this.ledgerConnection.connectionProblem() },
      { name: 'gate', required: true, probe: () => this.gateConnection.problem() },
      { name: 'kafka', required: true, probe: () => transportProblem(this.transport) },
    ]);
  }
}

@Module({})
export class IssuerModule {
  static register(parts: IssuerParts): DynamicModule {
    const { config, telemetry } = parts.context;
    const { gateConnection, ledgerConnection } = parts;
    const prefix = config.GATE_KEY_PREFIX;
    return {
      module: IssuerModule,
      controllers: [IssuanceConsumer],
      providers: [
        { provide: Gate, useValue: new Gate(gateConnection, prefix) },
        {
          provide: StatusHints,
          useValue: new StatusHints(gateConnection, prefix, config.STATUS_HINT_TTL_S),
        },
        {
          provide: IssuanceLog,
          useValue: new IssuanceLog(parts.publisher, topicNames(config.KAFKA_TOPIC_PREFIX)),
        },
        { provide: IssuanceLedger, useValue: new IssuanceLedger(ledgerConnection) },
        { provide: DeadLetterLedger, useValue: new DeadLetterLedger(ledgerConnection) },
        { provide: IssuerMetrics, useValue: new IssuerMetrics(telemetry) },
        DecideIssuances,
        DeadLetters,
      ],
    };
  }
}

function transportProblem(transport: KafkaBatchTransport): string | undefined {
  const { status, description } = transport.state();
  return status === 'consuming' && transport.stoppedPartitions().length === 0
    ? undefined
    : description;
}
