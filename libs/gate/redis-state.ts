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
  const [server, memory, replication] = await Promise.all([
    redis.info('server'),
    redis.info('memory'),
    redis.info('replication'),
  ]);
  const max = numberIn(memory, 'maxmemory');
  const usedBytes = numberIn(memory, 'used_memory');
  return {
    role: /^role:(\w+)/m.exec(replication)?.[1] ?? 'unknown',
    version:
      (/^valkey_version:(\S+)/m.exec(server) ?? /^redis_version:(\S+)/m.exec(server))?.[1] ?? null,
    usedBytes,
    limitBytes: max > 0 ? max : null,
    memoryRatio: max > 0 ? usedBytes / max : null,
  };
}

function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
