import type { RedisConnection } from '#gate/redis-connection.ts';
import type { RedisState } from '#gate/redis-state.ts';
import { readRedisState } from '#gate/redis-state.ts';
import { eachApart } from '#platform/work/each-apart.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import { LastLook } from './last-look.ts';

const validMs = 6_000;

/** Role and memory of both Redis servers; what does not answer has none. */
export class RedisMetrics {
  private readonly stores: {
    store: string;
    connection: RedisConnection;
    look: LastLook<RedisState>;
  }[];

  constructor(connections: Record<'gate' | 'jobs', RedisConnection>, { observed }: Telemetry) {
    this.stores = Object.entries(connections).map(([store, connection]) => ({
      store,
      connection,
      look: new LastLook(validMs),
    }));
    observed.gauge(
      'firstcome_redis_memory_ratio',
      'Memory that Redis uses as a share of its maxmemory; none without that.',
      (observe) =>
        this.stores.forEach(({ store, look }) => observe(look.value?.memoryRatio, { store })),
    );
    observed.gauge('firstcome_redis_role', '1: the role that this Redis has.', (observe) =>
      this.stores.forEach(({ store, look }) => {
        if (look.value !== undefined) {
          observe(1, { store, role: look.value.role });
        }
      }),
    );
  }

  async refresh(): Promise<void> {
    await eachApart(
      this.stores,
      this.stores.length,
      ({ connection }) => connection.place.name,
      ({ connection, look }) => look.refresh(() => readRedisState(connection)),
    );
  }
}
