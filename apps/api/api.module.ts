import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { AssignCoupon, AssignLimits } from '#admission/assign-coupon.ts';
import { HealthModule } from '#platform/health/health.module.ts';
import type { HealthProbes } from '#platform/health/health-probes.ts';
import { providersOf } from '#platform/process/providers-of.ts';
import type { ProcessContext } from '#platform/process/run-process.ts';
import type { Stores } from '#stores/stores.ts';
import { CouponAvailability } from './coupon/coupon-availability.ts';
import type { CouponCatalogue } from './coupon/coupon-catalogue.ts';
import { CouponLookup } from './coupon/coupon-lookup.ts';
import { CouponController } from './coupon/coupon.controller.ts';
import { AcceptAssign } from './issuance/accept-assign.ts';
import { AssignMetrics } from './issuance/assign-metrics.ts';
import { AssignWithoutGate } from './issuance/assign-without-gate.ts';
import { IssuanceController } from './issuance/issuance.controller.ts';
import { Idempotency } from './issuance/idempotency.ts';
import { PreferredAssign } from './issuance/preferred-assign.ts';
import { RedeemIssuance } from './redemption/redeem-issuance.ts';
import { RedemptionController } from './redemption/redemption.controller.ts';
import { RedemptionMetrics } from './redemption/redemption-metrics.ts';
import { AwaitedStatus } from './status/awaited-status.ts';
import { IssuanceEvents } from './status/issuance-events.ts';
import { IssuanceStatusReader } from './status/issuance-status.ts';
import { StatusController } from './status/status.controller.ts';
import type { Waiting } from './waiting/waiting.ts';
import { UnitsUnderWay } from './wallet/units-under-way.ts';
import { WalletController } from './wallet/wallet.controller.ts';
import { Wallet } from './wallet/wallet.ts';

/** Each has routes of the contract. */
export const apiControllers = [
  IssuanceController,
  StatusController,
  RedemptionController,
  WalletController,
  CouponController,
];

@Module({})
export class ApiModule {
  static register(
    { config, telemetry, failures, traces }: ProcessContext,
    stores: Stores<'gate' | 'ledger' | 'publisher'>,
    catalogue: CouponCatalogue,
    waiting: Waiting,
    probes: HealthProbes,
  ): DynamicModule {
    return {
      module: ApiModule,
      imports: [HealthModule.register(probes, 'public')],
      controllers: apiControllers,
      providers: [
        ...providersOf(
          ...Object.values(stores),
          catalogue,
          ...waiting.parts,
          failures,
          traces,
          new AssignLimits(config.ASSIGN_IN_FLIGHT_MAX, config.ASSIGN_WAIT_MAX_MS),
          new RedemptionMetrics(telemetry),
          new AssignMetrics(telemetry, config.METRICS_COUPONS_MAX),
        ),
        AssignCoupon,
        AcceptAssign,
        Idempotency,
        PreferredAssign,
        IssuanceStatusReader,
        AwaitedStatus,
        RedeemIssuance,
        IssuanceEvents,
        AssignWithoutGate,
        UnitsUnderWay,
        Wallet,
        CouponLookup,
        CouponAvailability,
      ],
    };
  }
}
