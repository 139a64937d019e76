import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.ts';
import { HealthProbes } from './health-probes.ts';

/** `/health`, `/health/ready` and `/health/live` for the given probes. */
@Module({})
export class HealthModule {
  static register(probes: HealthProbes): DynamicModule {
    return {
      module: HealthModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [{ provide: HealthProbes, useValue: probes }],
    };
  }
}
