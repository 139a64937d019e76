import { Redis } from 'ioredis';
import type { Instance } from '../infra/local/processes/paths.ts';
import { AssignStack } from './assign-stack.ts';
import { BareServer } from './bare-server.ts';
import type { OwnSpace } from './own-space.ts';
import type { TargetName } from './summary.ts';
import { takeKeys } from './take-keys.ts';

/** More than any run can take. */
const total = 2_000_000_000;

/** The servers that are compared, all running from the first round to the last. */
export class Targets {
  private readonly assign: AssignStack;
  private readonly space: OwnSpace;
  private readonly instance: Instance;
  private readonly bare = new Map<TargetName, BareServer>();
  private takeCouponId = 0;

  constructor(instance: Instance, space: OwnSpace) {
    this.instance = instance;
    this.space = space;
    this.assign = new AssignStack(instance, space.env);
  }

  async start(abort: AbortSignal): Promise<void> {
    await this.assign.start(abort);
    const lua = {
      BENCH_REDIS_URL: this.space.env['GATE_REDIS_URL'] ?? '',
      BENCH_KEY_PREFIX: this.space.env['GATE_KEY_PREFIX'] ?? '',
    };
    const start = (name: string, env: Record<string, string>): Promise<BareServer> =>
      BareServer.start(this.instance, name, env, abort);
    this.bare.set('fastify', await start('bench-fastify', {}));
    this.bare.set('lua', await start('bench-lua', lua));
    const pipelined = { ...lua, BENCH_AUTO_PIPELINING: '1' };
    this.bare.set('pipelined', await start('bench-pipelined', pipelined));
  }

  url(target: TargetName): string {
    const base = this.bare.get(target)?.url ?? this.assign.url;
    return `${base}/api/v1/coupons/assign`;
  }

  /** A coupon that nobody has taken from. */
  async freshCoupon(target: TargetName): Promise<number> {
    if (target === 'assign') {
      return this.assign.createCoupon(total);
    }
    this.takeCouponId += 1;
    const { left } = this.takeKeys(this.takeCouponId);
    await this.withRedis((redis) => redis.set(left, total));
    return this.takeCouponId;
  }

  /** Leaves nothing under way that could disturb the next run. */
  async settle(target: TargetName, couponId: number, answers: number): Promise<void> {
    this.assign.assertRunning();
    this.bare.forEach((server) => server.assertRunning());
    if (target === 'assign') {
      await this.assign.drain(couponId, total, answers);
      return;
    }
    const { left, holders } = this.takeKeys(couponId);
    await this.withRedis((redis) => redis.unlink(left, holders));
  }

  /** What a target has to say of requests that failed, in words. */
  async explainFailures(target: TargetName): Promise<string> {
    return target === 'assign' ? `By outcome so far: ${await this.assign.outcomes()}` : '';
  }

  async stop(): Promise<void> {
    await Promise.all([this.assign, ...this.bare.values()].map((server) => server.stop()));
  }

  private takeKeys(couponId: number): { left: string; holders: string } {
    return takeKeys(this.space.env['GATE_KEY_PREFIX'] ?? '', couponId);
  }

  private async withRedis(work: (redis: Redis) => Promise<unknown>): Promise<void> {
    const redis = new Redis(this.space.env['GATE_REDIS_URL'] ?? '');
    try {
      await work(redis);
    } finally {
      redis.disconnect();
    }
  }
}
