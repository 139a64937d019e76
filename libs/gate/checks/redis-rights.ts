import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

type Command = [string, ...(string | number)[]];

/** Of each command that gate, hints and probes use, one that does nothing on a key of its own. */
function trials(key: string): Command[] {
  return [
    ...dataTrials(key),
    ['scan', 0, 'MATCH', key],
    ['eval', 'return 1', 0],
    // Not known there, which is another answer than not allowed.
    ['evalsha', '0'.repeat(40), 0],
  ];
}

/** Those that a script may send, too. They leave nothing. */
export function dataTrials(key: string): Command[] {
  return [
    ['set', `${key}text`, '1', 'PX', 10_000],
    ['get', `${key}text`],
    ['exists', key],
    ['hset', key, 'field', '1'],
    ['hget', key, 'field'],
    ['hmget', key, 'field'],
    ['hgetall', key],
    ['hlen', key],
    ['hscan', key, 0],
    ['hincrby', key, 'field', 1],
    ['hdel', key, 'other'],
    ['rename', key, key],
    ['expire', key, 10],
    ['persist', key],
    ['persist', key],
    ['zadd', `${key}set`, 1, 'member'],
    ['zcard', `${key}set`],
    ['zscore', `${key}set`, 'member'],
    ['zmscore', `${key}set`, 'member'],
    ['zrange', `${key}set`, 0, 0],
    ['zrangebyscore', `${key}set`, 0, 1],
    ['zrem', `${key}set`, 'member'],
    ['type', key],
    ['time'],
    ['info', 'server'],
    ['unlink', key, `${key}set`, `${key}text`],
  ];
}

/** The commands for which rights are needed. */
export const neededCommands = trials('').map(([command]) => command);

/** What our user needs and may not do, by trying each command: whoever may not ask for rights knows it so. */
export async function missingRights(redis: Redis, keyPrefix: string): Promise<string[]> {
  const key = `${keyPrefix}rights_trial:${randomUUID()}`;
  const missing: string[] = [];
  for (const [command, ...args] of trials(key)) {
    await redis.call(command, ...args).catch((error: Error) => {
      if (error.message.startsWith('NOPERM')) {
        missing.push(error.message.includes('one of the keys') ? `keys ${keyPrefix}*` : command);
      }
    });
  }
  return [...new Set(missing)];
}
