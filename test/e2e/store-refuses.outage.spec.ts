import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redis as kind } from '../../infra/local/servers/redis.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { SpareServer } from '../harness/servers/spare-server.ts';
import { failureLines } from '../harness/log-lines.ts';
import { startStack } from '../harness/stack/test-stack.ts';

const redisKind = kind('GATE_REDIS_URL', 'GATE_REDIS_CA_FILE');
const problem = await SpareServer.problem(redisKind);

describe.skipIf(problem)('while a store answers and refuses', () => {
  let server: SpareServer;
  let redis: Redis;
  let stack: Stack;

  beforeAll(async () => {
    server = await SpareServer.start(redisKind);
    redis = new Redis(server.url);
    stack = await startStack(undefined, { GATE_REDIS_URL: server.url });
  });
  afterAll(async () => {
    redis.disconnect();
    await stack.stop();
    await server.remove();
  });

  const metrics = (app: 'api' | 'keeper'): Promise<string> => stack.app(app).metrics();

  it('Redis is full: 503 UNAVAILABLE, readiness, log and metrics say why, and it heals by itself', async () => {
    const couponId = await stack.createCoupon(10);
    const early = await stack.assign(couponId, 'early');
    expect(early.status).toBe(200);
    await redis.config('SET', 'maxmemory', '1mb');

    const refused = await stack.assign(couponId, 'late');
    expect([refused.status, refused.body.code]).toEqual([503, 'UNAVAILABLE']);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(failureLines(stack.app('api').output, 'UNAVAILABLE')).toMatchObject([
      {
        'http.request.id': refused.body.request_id,
        'user.id': 'late',
        error: { type: 'ReplyError', message: expect.stringContaining('OOM') as string },
        firstcome: { cause: 'redis_refuses_writes', coupon_id: couponId },
      },
    ]);
    expect(await metrics('api')).toMatch(
      /firstcome_failures_total\{code="UNAVAILABLE",cause="redis_refuses_writes"\} 1/,
    );
    const used = /firstcome_redis_memory_ratio\{store="gate"\} (\S+)/;
    await expect
      .poll(async () => Number(used.exec(await metrics('keeper'))?.[1]), { timeout: 10_000 })
      .toBeGreaterThan(0.9);
    // Who holds one already is told so: that writes nothing.
    expect((await stack.assign(couponId, 'early')).body.issuance_id).toBe(early.body.issuance_id);
    for (const app of ['api', 'keeper', 'issuer'] as const) {
      await expect
        .poll(async () => (await stack.app(app).readiness())?.text)
        .toContain('the gate Redis is full (maxmemory)');
    }
    await expect
      .poll(() => metrics('api'), { timeout: 5_000 })
      .toMatch(/firstcome_probe_up\{[^}]*probe="gate"[^}]*\} 0/);
    await expect
      .poll(() => metrics('keeper'), { timeout: 5_000 })
      .toMatch(new RegExp(`firstcome_gate_open\\{[^}]*coupon_id="${couponId}"[^}]*\\} 0`));

    await redis.config('SET', 'maxmemory', '0');
    await expect
      .poll(async () => (await stack.assign(couponId, 'late')).status, { timeout: 20_000 })
      .toBe(200);
    await expect
      .poll(() => readFileSync(stack.app('api').logFile, 'utf8'), { timeout: 5_000 })
      .toContain('gate is well again');
    const log = readFileSync(stack.app('api').logFile, 'utf8');
    expect(log.split('the gate Redis is full').length - 1).toBe(1);
  });
});
