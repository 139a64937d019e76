import { infoField } from './checks/redis-info.ts';
import type { RedisConnection } from './redis-connection.ts';

export interface RedisState {
  /** As Redis calls it: `master` or `slave`. */
  role: string;
  /** Redis, or Valkey. */
  version: string | null;
  usedBytes: number;
  /** `maxmemory`; null without one. */
  limitBytes: number | null;
  /** Of what it may use; null without a limit. */
  memoryRatio: number | null;
}

/** Rejects while Redis does not answer. */
export async function readRedisState({ redis }: RedisConnection): Promise<RedisState> {
  return redisStateOf(await redis.info());
}

/** By what it tells of itself (INFO). */
export function redisStateOf(info: string): RedisState {
  const max = Number(infoField(info, 'maxmemory') ?? 0);
  const usedBytes = Number(infoField(info, 'used_memory') ?? 0);
  return {
    role: infoField(info, 'role') ?? 'unknown',
    version: infoField(info, 'valkey_version') ?? infoField(info, 'redis_version') ?? null,
    usedBytes,
    limitBytes: max > 0 ? max : null,
    memoryRatio: max > 0 ? usedBytes / max : null,
  };
}
