import type { Config } from '#platform/config/config.ts';
import { dataTrials } from './checks/redis-rights.ts';
import type { RedisPlace } from './redis-connection.ts';
import { RedisConnection } from './redis-connection.ts';

export type GateConfig = Pick<
  Config,
  'GATE_REDIS_URL' | 'GATE_REDIS_CA_FILE' | 'GATE_KEY_PREFIX' | 'GATE_TIMEOUT_MS'
>;

/** The connection of the gate: its scripts are sent one by one, as they come. */
export class GateConnection extends RedisConnection {
  constructor(config: GateConfig) {
    super(gatePlace(config), {
      enableAutoPipelining: true,
      // Batches already. A pipeline of ioredis waits for the end of the turn, and for the one before.
      autoPipeliningIgnoredCommands: ['reserve', 'confirm'],
    });
  }

  /** Whatever the scripts of the gate do: a right to one of them may be missing alone. */
  protected override trial(key: string): (string | number)[][] {
    return dataTrials(key);
  }
}

export function gatePlace(config: GateConfig): RedisPlace {
  return {
    name: 'the gate Redis',
    setting: 'GATE_REDIS_URL',
    url: config.GATE_REDIS_URL,
    caFile: config.GATE_REDIS_CA_FILE,
    keyPrefix: config.GATE_KEY_PREFIX,
    timeoutMs: config.GATE_TIMEOUT_MS,
  };
}
