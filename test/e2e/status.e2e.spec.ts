import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Stack } from '../../infra/harness/stack.ts';
import { firstcome } from '../../infra/local/processes/cli.ts';
import { statusSchema } from '../harness/status-schema.ts';
import { startStack } from '../harness/stack/test-stack.ts';

type Status = z.output<typeof statusSchema> & { exitCode: number };

const userId = 'somebody-whom-no-line-names';
const patience = { timeout: 40_000, interval: 200 };

let stack: Stack;
let couponId: number;

beforeAll(async () => {
  // As good as every query is a slow one.
  stack = await startStack(undefined, { MYSQL_SLOW_QUERY_MS: '1' });
  couponId = await stack.createCoupon(1_000, '--name', '겨울 한정');
});
afterAll(() => stack.stop());

async function status(env: Record<string, string> = {}): Promise<Status> {
  const { exitCode, stdout, stderr } = await firstcome(
    { ...stack.env, ...env },
    'status',
    '--json',
  );
  expect(stderr).toBe('');
  return { exitCode, ...statusSchema.parse(JSON.parse(stdout)) };
}

async function assignMany(count: number): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, i) => stack.assign(couponId, `${userId}-${Date.now()}-${i}`)),
  );
  expect(answers.every((answer) => answer.status === 200)).toBe(true);
}

describe('firstcome status', () => {
  it('is HEALTHY while all is well: what is held is issued, partitions have their issuer, stores their role', async () => {
    await assignMany(10);
    await expect.poll(async () => (await status()).coupons[0]?.issued, patience).toBe(10);
    const now = await status();
    expect([now.verdict, now.exitCode]).toEqual(['HEALTHY', 0]);
    expect(now.coupons).toMatchObject([
      { coupon_id: couponId, name: '겨울 한정', state: 'OPEN', total: 1_000, left: 990, held: 10 },
    ]);
    expect(now.coupons[0]).toMatchObject({ issued: 10, under_way: 0, pending: 0, breach: null });
    expect(now).toMatchObject({ lag: 0, lag_seconds: 0, dead_letters_open: 0, drain_seconds: 0 });
    for (const { member } of now.partitions) {
      expect(member).toMatch(/^firstcome-issuer-[\da-f]{6}@/);
    }
    const redis = now.stores.find(({ store }) => store === 'gate-redis');
    expect(redis).toMatchObject({ away: false, role: 'primary' });
    expect(redis?.memory_used_bytes).toBeGreaterThan(100_000);
    expect(now.stores.map(({ store }) => store).toSorted()).toEqual([
      'gate-redis',
      'jobs-redis',
      'kafka',
      'mysql',
    ]);
    expect(now.alerts).toEqual({ asked: false, firing: null, problem: null });
  });

  it('is BEHIND without an issuer: records, seconds, nobody who has the partition', async () => {
    await stack.app('issuer').stop();
    await assignMany(20);
    await expect.poll(async () => (await status()).lag_seconds, patience).toBeGreaterThan(0.5);
    const now = await status();
    expect([now.verdict, now.exitCode]).toEqual(['BEHIND', 1]);
    expect(now.says).toMatch(
      /^BEHIND: 20 records wait, \d+(\.\d)? s behind, and no issuer has partition \d$/,
    );
    expect(now.partitions[0]).toMatchObject({ lag: 20, member: null, decided_per_s: 0 });
    expect(now.coupons[0]).toMatchObject({ held: 30, issued: 10, under_way: 20, breach: null });

    await stack.startApp('issuer');
    await expect.poll(async () => (await status()).verdict, patience).toBe('HEALTHY');
  });

  it('is BROKEN while a gate is shut that should be open, and says which coupon', async () => {
    await stack.app('keeper').stop();
    const redis = new Redis(stack.env['GATE_REDIS_URL']!);
    await redis.hdel(`${stack.env['GATE_KEY_PREFIX']}{coupon:${couponId}}:meta`, 'run_id');
    redis.disconnect();
    const now = await status();
    expect([now.verdict, now.exitCode]).toEqual(['BROKEN', 1]);
    expect(now.says).toBe(`BROKEN: coupon ${couponId}'s gate is shut, nobody is admitted to it`);
    expect(now.coupons[0]).toMatchObject({
      state: 'RECOVERING',
      left: null,
      held: null,
      issued: 30,
    });

    await stack.startApp('keeper');
    await expect.poll(async () => (await status()).verdict, patience).toBe('HEALTHY');
  });

  it('ends with 3 when a coupon does not add up: a unit that nobody recorded', async () => {
    const other = await stack.createCoupon(5);
    const redis = new Redis(stack.env['GATE_REDIS_URL']!);
    const key = `${stack.env['GATE_KEY_PREFIX']}{coupon:${other}}`;
    await redis
      .multi()
      .hset(`${key}:holders`, 'nobody', '01890000-0000-7000-8000-000000000000')
      .hincrby(`${key}:meta`, 'left', -1)
      .exec();
    redis.disconnect();
    const now = await status();
    expect([now.verdict, now.exitCode]).toEqual(['BROKEN', 3]);
    expect(now.coupons[0]).toMatchObject({
      coupon_id: other,
      breach: '1 of 1 held are neither issued nor under way',
    });
    expect(now.problems[0]?.remedy).toBe(`npm run firstcome -- reconcile --coupon ${other}`);
    const repaired = await stack.firstcome('reconcile', '--coupon', String(other), '--apply');
    expect(repaired.exitCode).toBe(0);
    await expect.poll(async () => (await status()).verdict, patience).toBe('HEALTHY');
  });

  it('says which store is away, with 69, and shows the others all the same', async () => {
    const nowhere = '127.0.0.1:1';
    const away: [string, string, (seen: Status) => void][] = [
      [
        'gate-redis',
        'GATE_REDIS_URL',
        ({ coupons: [coupon], lag }) => {
          expect(lag).toBe(0);
          expect(coupon).toMatchObject({ total: expect.any(Number), held: null });
        },
      ],
      [
        'mysql',
        'MYSQL_URL',
        ({ coupons, lag }) => {
          expect(lag).toBe(0);
          expect(coupons.find(({ coupon_id: id }) => id === couponId)).toMatchObject({
            total: 1_000,
            held: 30,
            issued: null,
          });
        },
      ],
      [
        'kafka',
        'KAFKA_BROKERS',
        ({ coupons, lag }) => {
          expect(lag).toBeNull();
          expect(coupons.find(({ coupon_id: id }) => id === couponId)).toMatchObject({
            held: 30,
            issued: 30,
          });
        },
      ],
    ];
    const urls: Record<string, string> = {
      GATE_REDIS_URL: `redis://${nowhere}`,
      MYSQL_URL: `mysql://root:s3cret@${nowhere}/nowhere`,
      KAFKA_BROKERS: nowhere,
    };
    await Promise.all(
      away.map(async ([store, setting, check]) => {
        const startedAt = performance.now();
        const seen = await status({ [setting]: urls[setting]! });
        expect(performance.now() - startedAt).toBeLessThan(30_000);
        expect([seen.verdict, seen.exitCode]).toEqual(['BROKEN', 69]);
        expect(seen.stores.filter((each) => each.away).map((each) => each.store)).toEqual([store]);
        expect(JSON.stringify(seen)).not.toContain('s3cret');
        check(seen);
      }),
    );
  });

  it('shows the alerts that fire, as Alertmanager tells them', async () => {
    const asked: string[] = [];
    const alertmanager = createServer((request, response) => {
      asked.push(request.url!);
      const labels = { alertname: 'LagHigh', severity: 'page' };
      const startsAt = '2026-11-27T09:00:00.000Z';
      response.end(JSON.stringify([{ labels, annotations: { summary: 'it lags' }, startsAt }]));
    });
    await new Promise<void>((resolve) => {
      alertmanager.listen(0, '127.0.0.1', resolve);
    });
    const { port } = alertmanager.address() as AddressInfo;
    try {
      const seen = await status({ ALERTMANAGER_URL: `http://127.0.0.1:${port}/` });
      expect(asked[0]).toBe('/api/v2/alerts?active=true&silenced=false&inhibited=false');
      expect([seen.verdict, seen.exitCode]).toEqual(['ATTENTION', 0]);
      expect(seen.alerts.firing).toEqual([
        {
          name: 'LagHigh',
          severity: 'page',
          summary: 'it lags',
          since: '2026-11-27T09:00:00.000Z',
        },
      ]);
    } finally {
      alertmanager.close();
    }
    const mute = await status({ ALERTMANAGER_URL: 'http://127.0.0.1:1' });
    expect(mute.alerts.problem).not.toBeNull();
    expect(mute.problems.map(({ kind }) => kind)).toEqual(['alerts_unknown']);
  });

  it('is text for people, without colours where nobody sees them', async () => {
    const { stdout, exitCode } = await stack.firstcome('status');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^HEALTHY: \d coupons on sale/);
    expect(stdout).toContain('겨울 한정');
    expect(stdout).not.toContain('\u001B');
  });
});

it('slow queries are logged and counted by every process, and no line has a user in it', async () => {
  await stack.request(`/api/v1/users/${userId}/coupons`);
  for (const kind of ['api', 'issuer', 'keeper'] as const) {
    const app = stack.app(kind);
    await expect
      .poll(() => app.metrics(), patience)
      .toMatch(/^firstcome_slow_queries_total\{fingerprint="\w+_[\da-f]{8}"[^}]*\} [1-9]/m);
    const lines = readFileSync(app.logFile, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"slow query"'));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes(userId))).toEqual([]);
  }
});
