import { BullModule } from '@nestjs/bullmq';
import type { DynamicModule } from '@nestjs/common';
import { RedisConnection } from '#gate/redis-connection.ts';
import { redisOptions } from '#gate/redis-options.ts';
import type { Config } from '#platform/config/config.ts';
import type { Probe } from '#platform/health/health-probes.ts';
import { jobPlace } from './job-place.ts';

/**
 * The job store, for a Nest app to import: it is opened and closed with that app. Apart from the
 * other stores, for only the keeper to load BullMQ.
 */
export function jobStore(config: Config): DynamicModule {
  return BullModule.forRoot({
    connection: redisOptions(config.JOBS_REDIS_URL, config.JOBS_REDIS_CA_FILE),
    prefix: `${config.GATE_KEY_PREFIX}jobs`,
  });
}

/** Looks at the job store over a connection of its own, which BullMQ does not lend. */
export function openJobStoreProbe(config: Config): {
  jobs: Probe;
  connection: RedisConnection;
  close: () => void;
} {
  const connection = new RedisConnection(jobPlace(config));
  return { jobs: () => connection.problem(), connection, close: () => connection.close() };
}
