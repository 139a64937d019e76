import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Stack } from '../infra/harness/stack.ts';
import { appKinds } from '../infra/local/processes/apps.ts';
import { OwnProcess } from '../infra/local/processes/own-process.ts';
import { freePort } from '../infra/local/servers/free-port.ts';
import { ReadableError } from '../infra/local/terminal/readable-error.ts';
import { cpuSeconds } from './cpu.ts';
import { assertNeverDied, drain, outcomes } from './readings.ts';
import type { TargetName } from './summary.ts';
import { takeKeys } from './take-keys.ts';

/** More than any run can take. */
const total = 2_000_000_000;
const readyDeadlineMs = 60_000;
const scrapeEveryMs = 1_000;

type StackName = Extract<TargetName, 'assign' | 'silent'>;

/** The servers that are compared, all running from the first round to the last. */
export class Targets {
  /** The same, but for one of them recording no metrics. */
  private readonly stacks: Record<StackName, Stack>;
  private readonly bare = new Map<TargetName, OwnProcess>();
  private takeCouponId = 0;

  /** `servers` are the settings that lead to them. */
  constructor(
    servers: Record<string, string>,
    private readonly abort: AbortSignal,
  ) {
    const options = { servers, isSupervised: true, abort };
    this.stacks = {
      assign: new Stack({ ...options, name: 'bench' }),
      silent: new Stack({ ...options, name: 'bench-silent', env: { METRICS: 'off' } }),
    };
  }

  async start(): Promise<void> {
    await this.stacks.assign.start(appKinds);
    await this.stacks.silent.start(appKinds);
    const lua = { BENCH_REDIS_URL: this.gateUrl, BENCH_KEY_PREFIX: this.keyPrefix };
    await this.startBare('fastify', {});
    await this.startBare('lua', lua);
    await this.startBare('pipelined', { ...lua, BENCH_AUTO_PIPELINING: '1' });
  }

  url(target: TargetName): string {
    const { publicUrl } = this.bare.get(target) ?? this.stackOf(target)!.app('api');
    return `${publicUrl}/api/v1/coupons/assign`;
  }

  /** A coupon that nobody has taken from. */
  async freshCoupon(target: TargetName): Promise<number> {
    const stack = this.stackOf(target);
    if (stack !== undefined) {
      return stack.createCoupon(total);
    }
    this.takeCouponId += 1;
    const { left } = takeKeys(this.keyPrefix, this.takeCouponId);
    await this.withRedis((redis) => redis.set(left, total));
    return this.takeCouponId;
  }

  /** Leaves nothing under way that could disturb the next run. */
  async settle(target: TargetName, couponId: number, answers: number): Promise<void> {
    Object.values(this.stacks).forEach(assertNeverDied);
    const dead = [...this.bare.values()].find(({ isRunning }) => !isRunning);
    if (dead !== undefined) {
      throw new ReadableError(`${dead.name} died; log: ${dead.logFile}`);
    }
    const stack = this.stackOf(target);
    if (stack !== undefined) {
      await drain(stack, couponId, total, answers);
      return;
    }
    const { left, holders } = takeKeys(this.keyPrefix, couponId);
    await this.withRedis((redis) => redis.unlink(left, holders));
  }

  /** CPU that the processes of a target have used so far. */
  cpuSeconds(target: TargetName): number {
    const processes = this.stackOf(target)?.apps ?? [this.bare.get(target)!];
    return processes.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  }

  /** Asks for metrics as Prometheus would while `work` lasts; where there are none it is told so. */
  async whileScraped<T>(target: TargetName, work: () => Promise<T>): Promise<T> {
    const apps = this.stackOf(target)?.apps ?? [];
    const scraping = setInterval(() => {
      apps.forEach((app) => void app.metrics().catch(() => {}));
    }, scrapeEveryMs);
    try {
      return await work();
    } finally {
      clearInterval(scraping);
    }
  }

  /** What a target has to say of requests that failed, in words. */
  async explainFailures(target: TargetName): Promise<string> {
    return target === 'assign' ? `By outcome so far: ${await outcomes(this.stacks.assign)}` : '';
  }

  /** Ends all of them and removes what they left in the stores. */
  async stop(): Promise<void> {
    await Promise.all([...this.bare.values()].map((server) => server.stop()));
    await this.stacks.assign.stop();
    await this.stacks.silent.stop();
  }

  private stackOf(target: TargetName): Stack | undefined {
    return target === 'assign' || target === 'silent' ? this.stacks[target] : undefined;
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
    return this.stacks.assign.env['GATE_REDIS_URL']!;
  }

  private get keyPrefix(): string {
    return this.stacks.assign.env['GATE_KEY_PREFIX']!;
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
