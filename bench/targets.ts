import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Stack } from '../infra/harness/stack.ts';
import { appKinds } from '../infra/local/processes/apps.ts';
import { OwnProcess } from '../infra/local/processes/own-process.ts';
import { freePort } from '../infra/local/servers/free-port.ts';
import { ReadableError } from '../infra/local/terminal/readable-error.ts';
import { assertNeverDied, drain, outcomes } from './readings.ts';
import type { TargetName } from './summary.ts';
import { takeKeys } from './take-keys.ts';

/** More than any run can take. */
const total = 2_000_000_000;
const readyDeadlineMs = 60_000;

/** The servers that are compared, all running from the first round to the last. */
export class Targets {
  private readonly assign: Stack;
  private readonly bare = new Map<TargetName, OwnProcess>();
  private takeCouponId = 0;

  /** `servers` are the settings that lead to them. */
  constructor(
    servers: Record<string, string>,
    private readonly abort: AbortSignal,
  ) {
    this.assign = new Stack({ servers, name: 'bench', isSupervised: true, abort });
  }

  async start(): Promise<void> {
    await this.assign.start(appKinds);
    const lua = { BENCH_REDIS_URL: this.gateUrl, BENCH_KEY_PREFIX: this.keyPrefix };
    await this.startBare('fastify', {});
    await this.startBare('lua', lua);
    await this.startBare('pipelined', { ...lua, BENCH_AUTO_PIPELINING: '1' });
  }

  url(target: TargetName): string {
    const { publicUrl } = this.bare.get(target) ?? this.assign.app('api');
    return `${publicUrl}/api/v1/coupons/assign`;
  }

  /** A coupon that nobody has taken from. */
  async freshCoupon(target: TargetName): Promise<number> {
    if (target === 'assign') {
      return this.assign.createCoupon(total);
    }
    this.takeCouponId += 1;
    const { left } = takeKeys(this.keyPrefix, this.takeCouponId);
    await this.withRedis((redis) => redis.set(left, total));
    return this.takeCouponId;
  }

  /** Leaves nothing under way that could disturb the next run. */
  async settle(target: TargetName, couponId: number, answers: number): Promise<void> {
    assertNeverDied(this.assign);
    const dead = [...this.bare.values()].find(({ isRunning }) => !isRunning);
    if (dead !== undefined) {
      throw new ReadableError(`${dead.name} died; log: ${dead.logFile}`);
    }
    if (target === 'assign') {
      await drain(this.assign, couponId, total, answers);
      return;
    }
    const { left, holders } = takeKeys(this.keyPrefix, couponId);
    await this.withRedis((redis) => redis.unlink(left, holders));
  }

  /** What a target has to say of requests that failed, in words. */
  async explainFailures(target: TargetName): Promise<string> {
    return target === 'assign' ? `By outcome so far: ${await outcomes(this.assign)}` : '';
  }

  /** Ends all of them and removes what they left in the stores. */
  async stop(): Promise<void> {
    await Promise.all([...this.bare.values()].map((server) => server.stop()));
    await this.assign.stop();
  }

  /** A process of bare-fastify.ts. */
  private async startBare(target: TargetName, env: Record<string, string>): Promise<void> {
    const port = await freePort();
    const plan = {
      name: `bench-${target}`,
      args: [...process.execArgv, join(import.meta.dirname, 'bare-fastify.ts')],
      env: { ...env, BENCH_PORT: String(port) },
      internalPort: port,
      publicPort: port,
    };
    const server = new OwnProcess(plan, 'test');
    this.bare.set(target, server);
    await server.start();
    await server.ready(readyDeadlineMs, this.abort);
  }

  private get gateUrl(): string {
    return this.assign.env['GATE_REDIS_URL']!;
  }

  private get keyPrefix(): string {
    return this.assign.env['GATE_KEY_PREFIX']!;
  }

  private async withRedis(work: (redis: Redis) => Promise<unknown>): Promise<void> {
    const redis = new Redis(this.gateUrl);
    try {
      await work(redis);
    } finally {
      redis.disconnect();
    }
  }
}
