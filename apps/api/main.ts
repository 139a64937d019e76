import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyListenOptions } from 'fastify';
import type { Config } from '#platform/config/config.ts';
import { HealthProbes } from '#platform/health/health-probes.ts';
import { toNestLogger } from '#platform/logging/logging.ts';
import { Loop } from '#platform/work/loop.ts';
import type { ProcessContext } from '#platform/process/run-process.ts';
import { runProcess } from '#platform/process/run-process.ts';
import type { Stores } from '#stores/stores.ts';
import { openStores } from '#stores/stores.ts';
import { ApiModule } from './api.module.ts';
import { CouponCatalogue } from './coupon/coupon-catalogue.ts';
import { CrossOrigin } from './http/cross-origin/cross-origin.ts';
import { createFastifyAdapter } from './http/fastify.ts';
import { measureRequests } from './http/http-metrics.ts';
import { traceRequests } from './http/http-traces.ts';
import { KnownMethods } from './http/request/known-methods.ts';
import type { Identity } from './identity/identity.ts';
import { openIdentity } from './identity/identity.ts';
import { Leaving } from './http/leaving.ts';
import { shedOverload } from './http/overload/overload.ts';
import { ProblemFilter } from './http/problem/problem.filter.ts';
import { createValidationPipe } from './http/request/validation.ts';
import { limitRequests } from './limits/limit-requests.ts';
import { serveOpenApi } from './openapi/openapi.ts';
import { openWaiting } from './waiting/waiting.ts';

await runProcess('firstcome-api', async (context) => {
  const { config, logger } = context;
  const { stores, probes, ...opened } = openStores(
    context,
    ['gate', 'ledger', 'publisher', 'channel'],
    { queryTimeoutMs: config.MYSQL_QUERY_TIMEOUT_MS },
  );
  const catalogue = new CouponCatalogue(stores.coupons, stores.gate);
  const waiting = openWaiting(context, stores);
  const identity = openIdentity(context, stores, catalogue, waiting.lookups);
  const { mysql, ...required } = probes;
  const health = new HealthProbes(
    { ...required, catalogue: () => catalogue.problem(), ...identity.probes },
    // Not on the way of an assign: losing it later must not take the api out of service.
    { mysql, ...opened.reports, ...identity.reports },
  );

  const api = ApiModule.register(context, stores, catalogue, waiting, health);
  const { app, leaving } = await createApp(context, api, stores, identity);
  const refreshing = new Loop(
    'refresh of the catalogue',
    config.CATALOGUE_REFRESH_MS,
    () => catalogue.refresh(),
    logger,
  );
  refreshing.start();
  await listen(app, config);
  logger.info({ url: await app.getUrl() }, 'listening');

  return {
    probes: health,
    drain: () => {
      const drained = leaving.tellClients(config.SHUTDOWN_DRAIN_MS);
      // Whoever waits is told to connect anew, too.
      waiting.endWaits();
      return drained;
    },
    close: async () => {
      // Answers what is in flight first: each still needs the gate and the log.
      await app.close();
      // MySQL may stand still: each of them would wait for it.
      await Promise.all([refreshing.stop(), waiting.close(), identity.close()]);
      await opened.close();
    },
  };
});

/** The routes of `api` on Fastify, with all that is done before and after them; it listens nowhere yet. */
async function createApp(
  context: ProcessContext,
  api: DynamicModule,
  { gateConnection }: Stores<'gate'>,
  identity: Identity,
) {
  const { config, logger, telemetry, failures, traces } = context;
  const crossOrigin = new CrossOrigin(config);
  const adapter = await createFastifyAdapter(config, crossOrigin);
  const fastify = adapter.getInstance();
  measureRequests(fastify, telemetry);
  traceRequests(fastify, traces, config);
  const leaving = new Leaving(fastify);
  shedOverload(fastify, config, crossOrigin, telemetry, failures);
  limitRequests(fastify, config, gateConnection, telemetry, failures);
  // After what an address is limited by, and before what a user is.
  identity.standBefore(fastify);
  const methods = new KnownMethods(fastify);
  const app = await NestFactory.create<NestFastifyApplication>(api, adapter, {
    logger: toNestLogger(logger),
    abortOnError: false,
    // Fastify parses JSON by itself; Nest's parser only calls Fastify's, and reads forms as well.
    bodyParser: false,
  });
  app.useGlobalPipes(createValidationPipe());
  app.useGlobalFilters(new ProblemFilter(logger, failures));
  serveOpenApi(app);
  await app.init();
  methods.refuseOthers();
  return { app, leaving };
}

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
