import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { providersOf } from '../providers-of.ts';
import { HealthController } from './health.controller.ts';
import type { HealthProbes } from './health-probes.ts';

/** `/health`, `/health/ready` and `/health/live` for the given probes. */
@Module({})
export class HealthModule {
  static register(probes: HealthProbes): DynamicModule {
    return {
      module: HealthModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: providersOf(probes),
    };
  }
}
