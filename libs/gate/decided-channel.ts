import type { Redis } from 'ioredis';
import type { GateConfig } from './gate-connection.ts';
import { gatePlace } from './gate-connection.ts';
import { decidedChannelName } from './keys.ts';
import { describeRedisFailure } from './checks/redis-refusal.ts';
import { RedisConnection } from './redis-connection.ts';

/** How often the subscription is tried: a connection that is dead without a word says nothing else. */
const trialEveryMs = 1_000;
const separator = ' ';

/** Who wants to know at once what was decided. */
export interface Listener {
  /** These are decided, and their hints are written. */
  decided(issuanceIds: string[]): void;
  /** The subscription stands again: what was said meanwhile was not heard. */
  resumed(): void;
}

/**
 * Says that these are decided, to every api at once. It is a sign and no more: who does not hear it
 * finds out by looking. Rejects when it could not be said.
 */
export async function sayDecided(
  redis: Redis,
  keyPrefix: string,
  issuanceIds: Iterable<string>,
): Promise<void> {
  await redis.publish(decidedChannelName(keyPrefix), [...issuanceIds].join(separator));
}

/** Hears what issuers say, over a connection of its own; subscribes anew whenever that was lost. */
export class DecidedChannel {
  private readonly connection: RedisConnection;
  private readonly trials: NodeJS.Timeout;
  private isSubscribed = false;
  private failure: unknown = new Error('not subscribed yet');
  private listener: Listener | undefined;

  constructor(config: GateConfig) {
    // Subscribed by us: we must know from when on nothing is missed.
    this.connection = new RedisConnection(gatePlace(config), { autoResubscribe: false });
    const { redis } = this.connection;
    redis.on('message', (_channel, text: string) => this.listener?.decided(text.split(separator)));
    redis.on('ready', () => void this.subscribe());
    redis.on('close', () => this.lost(new Error('the connection was closed')));
    this.trials = setInterval(() => void this.try(), trialEveryMs);
    this.trials.unref();
  }

  /** From the next message on; there is one listener. */
  listen(listener: Listener): void {
    this.listener = listener;
  }

  /** False while something may be said that is not heard here. */
  get isHeard(): boolean {
    return this.isSubscribed;
  }

  /** What keeps it from hearing, in words; `undefined` when nothing. */
  problem(): string | undefined {
    return this.isSubscribed
      ? undefined
      : `${describeRedisFailure(this.connection.place.name, this.failure)}; who waits for a decision is told up to some seconds later`;
  }

  close(): void {
    clearInterval(this.trials);
    this.connection.close();
  }

  private async subscribe(): Promise<void> {
    const { redis, place } = this.connection;
    try {
      await redis.subscribe(decidedChannelName(place.keyPrefix));
    } catch (error) {
      this.lost(error);
      return;
    }
    this.isSubscribed = true;
    this.listener?.resumed();
  }

  private async try(): Promise<void> {
    const { redis } = this.connection;
    if (redis.status !== 'ready') {
      return;
    }
    if (!this.isSubscribed) {
      await this.subscribe();
      return;
    }
    try {
      await redis.ping();
    } catch (error) {
      this.lost(error);
      redis.disconnect(true);
    }
  }

  private lost(error: unknown): void {
    this.isSubscribed = false;
    this.failure = error;
  }
}
