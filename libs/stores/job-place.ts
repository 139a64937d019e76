import type { RedisPlace } from '#gate/redis-connection.ts';
import type { Config } from '#platform/config/config.ts';

/** Nobody waits for the job store; a command of a look at it may take as long as a probe may. */
const timeoutMs = 1_500;

export function jobPlace(config: Config): RedisPlace {
  return {
    name: 'the job store Redis',
    setting: 'JOBS_REDIS_URL',
    url: config.JOBS_REDIS_URL,
    caFile: config.JOBS_REDIS_CA_FILE,
    keyPrefix: `${config.GATE_KEY_PREFIX}jobs:`,
    timeoutMs,
  };
}
