import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { providersOf } from '../process/providers-of.ts';
import { HealthController } from './health.controller.ts';
import { HealthAudience } from './health-audience.ts';
import type { HealthProbes } from './health-probes.ts';

/**
 * `/health`, `/health/ready` and `/health/live` for the given probes. The public is told which of them
 * are down, not why: that names addresses and statements.
 */
@Module({})
export class HealthModule {
  static register(probes: HealthProbes, audience: 'public' | 'internal'): DynamicModule {
    return {
      module: HealthModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: providersOf(probes, new HealthAudience(audience)),
    };
  }
}
