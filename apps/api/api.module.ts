import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { AssignCoupon, AssignLimits } from '#admission/assign-coupon.js';
import { EventPublisher } from '#event-log/event-publisher.js';
import { IssuanceLog } from '#event-log/issuance-log.js';
import { createKafka } from '#event-log/kafka-client.js';
import { topicNames } from '#event-log/topics.js';
import { CouponLedger } from '#ledger/coupon-ledger.js';
import { IssuanceLedger } from '#ledger/issuance-ledger.js';
import { LedgerConnection } from '#ledger/ledger-connection.js';
import type { Config } from '#platform/config.js';
import { HealthModule } from '#platform/health/health.module.js';
import { HealthProbes } from '#platform/health/health-probes.js';
import type { Logger } from '#platform/logging.js';
import { toLogFunction } from '#platform/logging.js';
import type { Telemetry } from '#platform/telemetry.js';
import { Gate } from '#reservation/gate.js';
import { GateConnection } from '#reservation/gate-connection.js';
import { StatusHints } from '#reservation/status-hints.js';
import { CouponAvailability } from './coupon/coupon-availability.js';
import { CouponCatalogue } from './coupon/coupon-catalogue.js';
import { CouponController } from './coupon/coupon.controller.js';
import { AssignMetrics } from './issuance/assign-metrics.js';
import { IssuanceController } from './issuance/issuance.controller.js';
import { IssuanceStatusReader } from './issuance/issuance-status.js';

/** The parts of the api and what each is made of. */
export class ApiParts {
  readonly gateConnection: GateConnection;
  readonly publisher: EventPublisher;
  readonly ledgerConnection: LedgerConnection;
  readonly catalogue: CouponCatalogue;
  readonly probes: HealthProbes;

  constructor(
    readonly config: Config,
    logger: Logger,
    readonly telemetry: Telemetry,
  ) {
    const log = toLogFunction(logger);
    this.gateConnection = new GateConnection(config);
    this.publisher = new EventPublisher(createKafka(config, 'firstcome-api', log), {
      publishTimeoutMs: config.PUBLISH_TIMEOUT_MS,
      log,
    });
    this.ledgerConnection = new LedgerConnection(config, {
      queryTimeoutMs: config.MYSQL_QUERY_TIMEOUT_MS,
    });
    this.catalogue = new CouponCatalogue(
      new CouponLedger(this.ledgerConnection),
      config.CATALOGUE_REFRESH_MS,
      logger,
    );
    this.probes = new HealthProbes([
      { name: 'gate', required: true, probe: () => this.gateConnection.problem() },
      { name: 'kafka', required: true, probe: () => this.publisher.problem() },
      { name: 'schema', required: true, probe: () => this.ledgerConnection.schemaProblem() },
      { name: 'catalogue', required: true, probe: () => this.catalogueProblem() },
      // Not on the way of an assign: losing it later must not take the api out of service.
      { name: 'mysql', required: false, probe: () => this.ledgerConnection.connectionProblem() },
    ]);
  }

  private catalogueProblem(): string | undefined {
    return this.catalogue.isLoaded ? undefined : 'the campaigns have not been read from MySQL yet';
  }
}

@Module({})
export class ApiModule {
  static register(parts: ApiParts): DynamicModule {
    const { config, gateConnection, ledgerConnection } = parts;
    const gate = new Gate(gateConnection, config.GATE_KEY_PREFIX);
    const hints = new StatusHints(gateConnection, config.GATE_KEY_PREFIX, config.STATUS_HINT_TTL_S);
    const log = new IssuanceLog(parts.publisher, topicNames(config.KAFKA_TOPIC_PREFIX));
    return {
      module: ApiModule,
      imports: [HealthModule.register(parts.probes)],
      controllers: [IssuanceController, CouponController],
      providers: [
        { provide: Gate, useValue: gate },
        { provide: StatusHints, useValue: hints },
        { provide: IssuanceLog, useValue: log },
        { provide: IssuanceLedger, useValue: new IssuanceLedger(ledgerConnection) },
        { provide: CouponCatalogue, useValue: parts.catalogue },
        { provide: AssignMetrics, useValue: new AssignMetrics(parts.telemetry) },
        {
          provide: AssignLimits,
          useValue: new AssignLimits(config.ASSIGN_IN_FLIGHT_MAX, config.ASSIGN_WAIT_MAX_MS),
        },
        AssignCoupon,
        IssuanceStatusReader,
        CouponAvailability,
      ],
    };
  }
}
