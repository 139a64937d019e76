import type { RedisConnection } from './redis-connection.ts';

export interface RedisState {
  /** As Redis calls it: `master` or `slave`. */
  role: string;
  /** Of what it may use; null without a limit. */
  memoryRatio: number | null;
}

/** Rejects while Redis does not answer. */
export async function readRedisState({ redis }: RedisConnection): Promise<RedisState> {
  const [memory, replication] = await Promise.all([
    redis.info('memory'),
    redis.info('replication'),
  ]);
  const max = numberIn(memory, 'maxmemory');
  return {
    role: /^role:(\w+)/m.exec(replication)?.[1] ?? 'unknown',
    memoryRatio: max > 0 ? numberIn(memory, 'used_memory') / max : null,
  };
}

function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
