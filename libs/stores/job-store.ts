import { BullModule } from '@nestjs/bullmq';
import type { DynamicModule } from '@nestjs/common';
import { redisOptions } from '#gate/redis-options.ts';
import type { Config } from '#platform/config.ts';

/**
 * The job store, for a Nest app to import: it is opened and closed with that app. It has no probe:
 * nobody needs it to be ready. Apart from the other stores, for only the keeper to load BullMQ.
 */
export function jobStore(config: Config): DynamicModule {
  return BullModule.forRoot({
    connection: redisOptions(config.JOBS_REDIS_URL, config.JOBS_REDIS_CA_FILE),
    prefix: `${config.GATE_KEY_PREFIX}jobs`,
  });
}
