import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyListenOptions } from 'fastify';
import type { Config } from '#platform/config.ts';
import { toNestLogger } from '#platform/logging.ts';
import { runProcess } from '#platform/run-process.ts';
import { ApiModule, ApiParts } from './api.module.ts';
import { createFastifyAdapter } from './http/fastify.ts';
import { measureRequests } from './http/http-metrics.ts';
import { Leaving } from './http/leaving.ts';
import { shedOverload } from './http/overload.ts';
import { ProblemFilter } from './http/problem.filter.ts';
import { createValidationPipe } from './http/validation.ts';
import { serveOpenApi } from './openapi.ts';

await runProcess('firstcome-api', async ({ config, logger, telemetry }) => {
  const parts = new ApiParts(config, logger, telemetry);
  parts.ledgerConnection.start();
  parts.publisher.start();
  parts.catalogue.start();

  const adapter = createFastifyAdapter();
  measureRequests(adapter.getInstance(), telemetry);
  const leaving = new Leaving(adapter.getInstance());
  shedOverload(adapter.getInstance().server, config, telemetry);
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.register(parts), adapter, {
    logger: toNestLogger(logger),
    abortOnError: false,
    // Fastify parses JSON by itself; Nest's parser only calls Fastify's, and reads forms as well.
    bodyParser: false,
  });
  app.useGlobalPipes(createValidationPipe());
  app.useGlobalFilters(new ProblemFilter(logger));
  serveOpenApi(app);
  await app.init();
  await listen(app, config);
  logger.info({ url: await app.getUrl() }, 'listening');

  return {
    probes: parts.probes,
    close: async () => {
      await leaving.tellClients();
      // Answers what is in flight first: each still needs the gate and the log.
      await app.close();
      parts.catalogue.stop();
      await parts.publisher.close();
      parts.gateConnection.close();
      await parts.ledgerConnection.close();
    },
  };
});

/** Nest's own types do not know `reusePort`, which Fastify hands to Node. */
async function listen(app: NestFastifyApplication, config: Config): Promise<void> {
  const options = {
    port: config.API_PORT,
    host: config.API_HOST,
    reusePort: config.API_REUSE_PORT,
    // In a rush connections come faster than the event loop turns; the kernel drops what is beyond.
    backlog: 4_096,
  };
  await app.listen(options as FastifyListenOptions);
}
