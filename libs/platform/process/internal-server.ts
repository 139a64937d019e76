import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { Controller, Get, Module, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Config } from '../config/config.ts';
import { HealthModule } from '../health/health.module.ts';
import type { HealthProbes } from '../health/health-probes.ts';
import { processHeader } from './process-header.ts';
import { providersOf } from './providers-of.ts';
import { Telemetry } from '../telemetry/telemetry.ts';

@Controller('metrics')
class MetricsController {
  constructor(private readonly telemetry: Telemetry) {}

  @Get()
  metrics(@Req() request: { raw: IncomingMessage }, @Res() reply: { raw: ServerResponse }): void {
    this.telemetry.writeMetrics(request.raw, reply.raw);
  }
}

@Module({})
class InternalModule {
  static register(telemetry: Telemetry, probes: HealthProbes): DynamicModule {
    return {
      module: InternalModule,
      imports: [HealthModule.register(probes, 'internal')],
      controllers: [MetricsController],
      providers: providersOf(telemetry),
    };
  }
}

/**
 * Serves `/metrics` and `/health` on the internal port, which the public never reaches. Rejects when
 * the port is taken.
 */
export async function startInternalServer(
  config: Pick<Config, 'INTERNAL_HOST' | 'INTERNAL_PORT'>,
  telemetry: Telemetry,
  probes: HealthProbes,
): Promise<INestApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    InternalModule.register(telemetry, probes),
    new FastifyAdapter({ forceCloseConnections: true }),
    { logger: false },
  );
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (_request, reply, next) => {
      reply.raw.setHeader(processHeader, String(process.pid));
      next();
    });
  await app.listen(config.INTERNAL_PORT, config.INTERNAL_HOST);
  return app;
}
