import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { failureLines, logLines } from '../harness/log-lines.ts';
import { parseMetrics } from '../harness/metrics-text.ts';
import { OwnServer } from '../harness/servers/own-server.ts';
import { shippedTimeouts, startStack } from '../harness/stack/test-stack.ts';

const mysql = new OwnServer('mysql');
const redis = new OwnServer('gate-redis');
const kafka = new OwnServer('kafka');

const hashedUserIds = { LOG_USER_IDS: 'hashed', LOG_USER_ID_KEY: 'a key that is kept secret' };

/** Of the keeper: what only Redis knows, and what only Kafka knows. */
const gateMetrics = [
  'firstcome_gate_open',
  'firstcome_coupon_total',
  'firstcome_coupon_left',
  'firstcome_coupon_pending',
  'firstcome_coupon_oldest_pending_seconds',
  'firstcome_oldest_pending_seconds',
  'firstcome_coupons',
];
const logMetrics = [
  'kafka_consumergroup_lag',
  'kafka_consumergroup_lag_sum',
  'kafka_consumergroup_current_offset',
  'kafka_topic_partition_current_offset',
  'firstcome_partition_unmoved_seconds',
  'firstcome_partition_lag_seconds',
  'firstcome_lag_seconds',
];

describe('while a server is away', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack();
  });
  beforeEach((context) => [mysql, redis, kafka].forEach((server) => server.require(context)));
  afterEach(() => Promise.all([mysql, redis, kafka].map((server) => server.start())));
  afterAll(() => stack.stop());

  const statusOf = async (id: string): Promise<string> =>
    (await stack.request(`/api/v1/issuances/${id}`)).body.status;

  it('MySQL: assigns are acknowledged, and persisted when it is back', async () => {
    const couponId = await stack.createCoupon(100);
    await mysql.stop();

    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => stack.assign(couponId, `user-${i}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    await expect.poll(async () => (await stack.app('api').readiness())?.status).toBe(200);
    const status = await stack.request(answers[0]!.body.status_url);
    expect([status.status, status.body.code]).toEqual([503, 'UNAVAILABLE']);
    await expectLogged('UNAVAILABLE', 'ledger_away', { 'http.request.id': status.body.request_id });
    await expect
      .poll(async () => (await stack.app('issuer').readiness())?.text)
      .toContain('MySQL is not reachable');

    await mysql.start();
    for (const { body } of answers) {
      await expect.poll(() => statusOf(body.issuance_id), { timeout: 20_000 }).toBe('ISSUED');
    }
    expect((await stack.firstcome('verify')).exitCode).toBe(0);
  });

  it('Redis: 503 RECOVERING while it is away, and service again by itself afterwards', async () => {
    const couponId = await stack.createCoupon(100);
    const before = await stack.assign(couponId, 'early');
    await redis.stop();

    const answer = await stack.assign(couponId, 'early');
    expect([answer.status, answer.body.code]).toEqual([503, 'RECOVERING']);
    expect(answer.headers.get('retry-after')).toBe('1');
    await expectLogged('RECOVERING', 'redis_away', {
      'http.request.id': answer.body.request_id,
      'user.id': 'early',
    });

    await expectUnknown(gateMetrics);
    expect(await shownOf(logMetrics)).toEqual(logMetrics);

    await redis.start();
    await expectServiceAgain(couponId, before.body.issuance_id);
    await expect.poll(() => shownOf(gateMetrics), { timeout: 10_000 }).toEqual(gateMetrics);
  });

  it('Redis emptied by FLUSHALL: service again by itself, nobody forgotten', async () => {
    const couponId = await stack.createCoupon(100);
    const before = await stack.assign(couponId, 'early');
    const client = new Redis(stack.env['GATE_REDIS_URL']!);
    await client.flushall();
    client.disconnect();

    await expectServiceAgain(couponId, before.body.issuance_id);
  });

  it('Kafka: 503 UNCONFIRMED in bounded time, and the same id is acknowledged later', async () => {
    const couponId = await stack.createCoupon(100);
    await stack.startApp('api', { ...shippedTimeouts, ...hashedUserIds });
    await kafka.stop();

    const startedAt = Date.now();
    const answer = await stack.assign(couponId, 'patient');
    expect(Date.now() - startedAt).toBeLessThan(15_000);
    expect([answer.status, answer.body.code]).toEqual([503, 'UNCONFIRMED']);
    expect(answer.headers.get('retry-after')).toBe('1');
    await expectLogged('UNCONFIRMED', expect.stringMatching(/^log_(away|timeout)$/) as string, {
      'http.request.id': answer.body.request_id,
      'user.hash': expect.stringMatching(/^[\da-f]{32}$/) as string,
      firstcome: expect.objectContaining({ issuance_id: answer.body.issuance_id }) as object,
    });
    await expect
      .poll(async () => (await stack.app('api').readiness())?.status, { timeout: 20_000 })
      .toBe(503);
    await expectUnknown(logMetrics);
    expect(await shownOf(gateMetrics)).toEqual(gateMetrics);

    await kafka.start();
    await expect.poll(() => shownOf(logMetrics), { timeout: 30_000 }).toEqual(logMetrics);
    await expect
      .poll(async () => (await stack.assign(couponId, 'patient')).body, { timeout: 30_000 })
      .toMatchObject({ issuance_id: answer.body.issuance_id, status: 'ACCEPTED' });
    await expect.poll(() => statusOf(answer.body.issuance_id), { timeout: 30_000 }).toBe('ISSUED');
    expect((await stack.firstcome('verify')).exitCode).toBe(0);
    expect(stack.app('api').output).not.toContain('patient');
  });

  /** Those of them that the keeper shows. */
  async function shownOf(names: string[]): Promise<string[]> {
    const shown = parseMetrics(await stack.app('keeper').metrics());
    return names.filter((name) => shown.has(name));
  }

  /** Not the last value, as if it were so now. */
  async function expectUnknown(names: string[]): Promise<void> {
    expect(names.length).toBeGreaterThan(0);
    await expect.poll(() => shownOf(names), { timeout: 15_000 }).toEqual([]);
  }

  /** The cause is counted, and told in a line that says whom it met. */
  async function expectLogged(code: string, cause: string, fields: object): Promise<void> {
    const api = stack.app('api');
    await expect
      .poll(() => failureLines(api.output, code))
      .toContainEqual(expect.objectContaining(fields));
    expect(failureLines(api.output, code)).toContainEqual(
      expect.objectContaining({
        error: expect.objectContaining({ message: expect.any(String) as string }) as object,
        firstcome: expect.objectContaining({ code, cause }) as object,
      }),
    );
    const series = (await api.metrics())
      .split('\n')
      .filter((line) => line.startsWith(`firstcome_failures_total{code="${code}"`));
    expect(series.length).toBeGreaterThan(0);
    expect(logLines(api.output).filter(({ message }) => message === 'request failed')).toEqual([]);
  }

  /** The gate opens again, 'early' still holds the same id, and newcomers are admitted. */
  async function expectServiceAgain(couponId: number, issuanceId: string): Promise<void> {
    await expect
      .poll(async () => (await stack.assign(couponId, 'early')).body, { timeout: 30_000 })
      .toMatchObject({ issuance_id: issuanceId, status: 'ACCEPTED' });
    await expect.poll(async () => (await stack.assign(couponId, 'late')).status).toBe(200);
    await expect
      .poll(async () => (await stack.request(`/api/v1/coupons/${couponId}`)).body.left)
      .toBe(98);
    expect((await stack.firstcome('verify')).exitCode).toBe(0);
  }
});
