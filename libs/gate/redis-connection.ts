import type { RedisOptions } from 'ioredis';
import { Redis } from 'ioredis';
import { describeRedisFailure, isMendedByReconnecting, isRefusal } from './checks/redis-refusal.ts';
import { infoField } from './checks/redis-info.ts';
import { redisOptions } from './redis-options.ts';

/** A Redis of ours: where it is, what people call it, and where in it our keys are. */
export interface RedisPlace {
  name: string;
  /** The setting that leads to it. */
  setting: string;
  url: string;
  caFile: string | undefined;
  keyPrefix: string;
  timeoutMs: number;
}

/** In time-outs of a command: a connection that owes an answer for so long is made anew. */
const silenceMax = 3;
/** What is refused time and again costs one new connection a second, not one each time. */
const renewalGapMs = 1_000;
/** Longer than the time between two looks: the key that is written to try stays one key. */
const trialLifeMs = 10_000;
const tryCommands = `
for _, command in ipairs(cjson.decode(ARGV[1])) do
  local reply = redis.pcall(unpack(command))
  if type(reply) == 'table' and reply.err then
    reply.err = reply.err .. ': ' .. command[1]
    return reply
  end
end`;

/**
 * A connection on which a command is sent once, now, or not at all. The defaults of ioredis would
 * send a script again when its reply was lost, and run commands late that the caller has already
 * given up: both would reserve behind the caller's back. Reconnects by itself, for ever.
 */
export class RedisConnection {
  readonly redis: Redis;
  private readonly runTrial: (keys: number, commands: string) => Promise<unknown>;
  private refused: string | undefined;
  private lastError: Error | undefined;
  private isDatabaseWrong = false;
  private renewedAt = -Infinity;

  /** `options` are of ioredis, beside those that this promise rests on. */
  constructor(
    readonly place: RedisPlace,
    options: RedisOptions = {},
  ) {
    const { url, caFile, timeoutMs } = place;
    this.redis = new Redis({
      ...options,
      ...redisOptions(url, caFile),
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      commandTimeout: timeoutMs,
      connectTimeout: timeoutMs,
      // Of a server that is gone without a word TCP tells after a quarter of an hour.
      socketTimeout: silenceMax * timeoutMs,
      retryStrategy: (attempt) => Math.min(attempt * 50, 1_000),
      // TRAP: 1 is "reconnect"; 2 would send the command again.
      reconnectOnError: (error) => (this.isRenewalDue(error) ? 1 : false),
    });
    this.redis.defineCommand('try_commands', { lua: tryCommands });
    this.runTrial = (Reflect.get(this.redis, 'try_commands') as typeof this.runTrial).bind(
      this.redis,
    );
    // Without a listener ioredis prints every failed reconnect; readiness says it once instead.
    this.redis.on('error', (error) => this.noteError(error));
    this.redis.on('connect', () => (this.isDatabaseWrong = false));
    this.redis.on('ready', () => (this.lastError = undefined));
    this.redis.on('close', () => forgetSilence(this.redis));
  }

  /** Resolves once commands can be sent; rejects after `timeoutMs`. For commands that run once. */
  async connected(timeoutMs = 10_000): Promise<void> {
    if (this.redis.status === 'ready') {
      return;
    }
    const { name, setting } = this.place;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${name} (${setting}) is not reachable`)),
        timeoutMs,
      );
      this.redis.once('ready', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /**
   * What keeps it from working, in words; `undefined` when nothing. Tries what it vouches for: a
   * script that writes a key of its own.
   */
  async problem(): Promise<string | undefined> {
    const { name, keyPrefix } = this.place;
    try {
      this.throwUnlessReady();
      const trial = this.trial(`${keyPrefix}write_trial`);
      await this.runTrial(0, JSON.stringify(trial));
      this.refused = undefined;
    } catch (error) {
      const problem = describeRedisFailure(name, error);
      this.refused = isRefusal(error) ? problem : undefined;
      return problem;
    }
    return this.evictionProblem();
  }

  /** Why it answers and yet takes no writes, as it was when that was tried last. */
  get refusal(): string | undefined {
    return this.refused;
  }

  close(): void {
    this.redis.disconnect();
  }

  /** The commands that are tried. */
  protected trial(key: string): (string | number)[][] {
    return [['set', key, '1', 'PX', trialLifeMs]];
  }

  private async evictionProblem(): Promise<string | undefined> {
    const { name } = this.place;
    try {
      const memory = await this.redis.info('memory');
      const policy = infoField(memory, 'maxmemory_policy');
      return policy === 'noeviction'
        ? undefined
        : `${name} evicts keys (maxmemory-policy ${policy}): set it to noeviction`;
    } catch (error) {
      return describeRedisFailure(name, error);
    }
  }

  /** What the server said to the attempts to connect tells more than that there is no connection. */
  private throwUnlessReady(): void {
    if (this.redis.status === 'ready') {
      return;
    }
    if (this.lastError !== undefined) {
      throw this.lastError;
    }
    if (this.redis.status === 'connect') {
      throw new Error('it takes connections, and does not answer yet');
    }
  }

  private noteError(error: Error & { command?: { name: string } }): void {
    if (error.command?.name === 'select') {
      // ioredis would go on in database 0, where the keys of somebody else may be.
      this.isDatabaseWrong = true;
      this.redis.disconnect(true);
    } else if (this.isDatabaseWrong) {
      // Only says that this connection was ended.
      return;
    }
    this.lastError = error;
  }

  private isRenewalDue(error: Error): boolean {
    if (!isMendedByReconnecting(error) || performance.now() < this.renewedAt + renewalGapMs) {
      return false;
    }
    this.renewedAt = performance.now();
    return true;
  }
}

/** The clock of `socketTimeout` runs on in ioredis 5, and would end the next connection (its issue 2147). */
function forgetSilence(redis: Redis): void {
  const client = redis as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined };
  clearTimeout(client.socketTimeoutTimer);
  client.socketTimeoutTimer = undefined;
}
