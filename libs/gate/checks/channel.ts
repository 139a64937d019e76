import type { CheckResult } from '#platform/checks/check.ts';
import { sayDecided } from '../decided-channel.ts';
import type { RedisConnection } from '../redis-connection.ts';

/** Whether issuers may say what is decided, by saying nothing to nobody. */
export async function checkChannel({ redis, place }: RedisConnection): Promise<CheckResult> {
  const name = 'redis.gate.channel';
  try {
    await sayDecided(redis, place.keyPrefix, []);
    return { name, verdict: 'ok', message: 'what is decided can be said to those who wait' };
  } catch (error) {
    return {
      name,
      verdict: 'warning',
      message: `what is decided cannot be said: ${(error as Error).message}`,
      why: 'who waits for a decision is told up to some seconds later',
      remedy: `ACL SETUSER … &${place.keyPrefix}* +publish +subscribe`,
    };
  }
}
