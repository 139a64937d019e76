import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { AssignCoupon, AssignLimits } from '#admission/assign-coupon.ts';
import { EventPublisher } from '#event-log/publish/event-publisher.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { createKafka } from '#event-log/kafka-client.ts';
import { topicNames } from '#event-log/topics.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { LedgerConnection } from '#ledger/ledger-connection.ts';
import type { Config } from '#platform/config.ts';
import { HealthModule } from '#platform/health/health.module.ts';
import { HealthProbes } from '#platform/health/health-probes.ts';
import type { Logger } from '#platform/logging.ts';
import { toLogFunction } from '#platform/logging.ts';
import type { Telemetry } from '#platform/telemetry.ts';
import { Gate } from '#gate/gate.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { CouponAvailability } from './coupon/coupon-availability.ts';
import { CouponCatalogue } from './coupon/coupon-catalogue.ts';
import { CouponController } from './coupon/coupon.controller.ts';
import { AssignMetrics } from './issuance/assign-metrics.ts';
import { IssuanceController } from './issuance/issuance.controller.ts';
import { IssuanceStatusReader } from './issuance/issuance-status.ts';

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
      logger: log,
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
    return this.catalogue.isLoaded ? undefined : 'the coupons have not been read from MySQL yet';
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
