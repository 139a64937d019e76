import { Redis } from 'ioredis';
import type { Config } from '#platform/config.ts';
import { readCertificateAuthority } from '#platform/config.ts';

export type GateConfig = Pick<Config, 'GATE_REDIS_URL' | 'GATE_REDIS_CA_FILE' | 'GATE_TIMEOUT_MS'>;

/** In time-outs of a command: a connection that owes an answer for so long is made anew. */
const silenceMax = 3;

/**
 * A connection on which a command is sent once, now, or not at all. The defaults of ioredis would
 * send a script again when its reply was lost, and run commands late that the caller has already
 * given up: both would reserve behind the caller's back. Reconnects by itself, for ever.
 */
export class GateConnection {
  readonly redis: Redis;

  constructor(config: GateConfig) {
    const ca = readCertificateAuthority(config.GATE_REDIS_CA_FILE);
    this.redis = new Redis(config.GATE_REDIS_URL, {
      ...(ca === undefined ? {} : { tls: { ca } }),
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      enableAutoPipelining: true,
      // Batches already. A pipeline of ioredis waits for the end of the turn, and for the one before.
      autoPipeliningIgnoredCommands: ['reserve', 'confirm'],
      commandTimeout: config.GATE_TIMEOUT_MS,
      connectTimeout: config.GATE_TIMEOUT_MS,
      // Of a server that is gone without a word TCP tells after a quarter of an hour.
      socketTimeout: silenceMax * config.GATE_TIMEOUT_MS,
      retryStrategy: (attempt) => Math.min(attempt * 50, 1_000),
    });
    // Without a listener ioredis prints every failed reconnect; readiness says it once instead.
    this.redis.on('error', () => {});
    this.redis.on('close', () => forgetSilence(this.redis));
  }

  /** Resolves once commands can be sent; rejects after `timeoutMs`. For commands that run once. */
  async connected(timeoutMs = 10_000): Promise<void> {
    if (this.redis.status === 'ready') {
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error('the gate Redis (GATE_REDIS_URL) is not reachable')),
        timeoutMs,
      );
      this.redis.once('ready', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** What keeps the gate from working, in words; `undefined` when nothing. */
  async problem(): Promise<string | undefined> {
    try {
      const memory = await this.redis.info('memory');
      const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
      return policy === 'noeviction'
        ? undefined
        : `the gate Redis evicts keys (maxmemory-policy ${policy}): set it to noeviction`;
    } catch (error) {
      return `the gate Redis is not reachable: ${(error as Error).message}`;
    }
  }

  close(): void {
    this.redis.disconnect();
  }
}

/** The clock of `socketTimeout` runs on in ioredis 5, and would end the next connection (its issue 2147). */
function forgetSilence(redis: Redis): void {
  const client = redis as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined };
  clearTimeout(client.socketTimeoutTimer);
  client.socketTimeoutTimer = undefined;
}
