import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { EventSourceReader } from '../harness/http/event-source.ts';
import { OwnServer } from '../harness/servers/own-server.ts';
import { shippedTimeouts, startStack } from '../harness/stack/test-stack.ts';

const patience = { timeout: 30_000 };

describe('while somebody waits', () => {
  const redis = new OwnServer('gate-redis');
  const mysql = new OwnServer('mysql');
  let stack: Stack;
  let couponId: number;

  beforeAll(async () => {
    stack = await startStack(['api', 'issuer', 'keeper'], {
      ...shippedTimeouts,
      MYSQL_QUERY_TIMEOUT_MS: '2000',
    });
    couponId = await stack.createCoupon(100);
  });
  afterEach(async () => {
    stack.running('issuer').forEach((issuer) => issuer.signal('SIGCONT'));
    mysql.thaw();
    await redis.start();
  });
  afterAll(() => stack.stop());

  /** Nobody decides about it until the issuer goes on. */
  async function undecided(userId: string): Promise<string> {
    await expect
      .poll(async () => (await stack.assign(couponId, `${userId}-0`)).status, patience)
      .toBe(200);
    await stack.app('issuer').freeze();
    const { status, body } = await stack.assign(couponId, userId);
    expect(status).toBe(200);
    return body.status_url as string;
  }

  function waitFor(path: string): Promise<Answer> {
    return stack.request(`${path}?wait=30`);
  }

  async function waiting(count: number): Promise<void> {
    await expect
      .poll(() => stack.app('api').metrics(), patience)
      .toMatch(new RegExp(`^firstcome_waiters\\{kind="answer"[^}]*\\} ${count}$`, 'm'));
  }

  it('Redis goes away: what MySQL has decided is told all the same, and events as well', async (context) => {
    redis.require(context);
    const path = await undecided('ann');
    const answer = waitFor(path);
    const source = await EventSourceReader.open(`${stack.app('api').publicUrl}${path}/events`);
    await waiting(1);
    await redis.stop();
    stack.app('issuer').signal('SIGCONT');
    expect((await answer).body).toMatchObject({ status: 'ISSUED', user_id: 'ann' });
    await source.ended;
    expect(source.events.at(-1)).toMatchObject({ event: 'decided', id: 'ISSUED' });
    // Who comes now waits without Redis from the beginning.
    expect((await waitFor(path)).body.status).toBe('ISSUED');
    const said = async (): Promise<string> => (await stack.app('api').readiness())!.text;
    await expect.poll(said, patience).toContain('decided_channel');

    await redis.start();
    await expect.poll(said, patience).not.toMatch(/"decided_channel":\{"status":"degraded"/);
    const next = await undecided('bob');
    const told = waitFor(next);
    await waiting(1);
    stack.app('issuer').signal('SIGCONT');
    expect((await told).body).toMatchObject({ status: 'ISSUED', user_id: 'bob' });
  });

  it('MySQL stands still: an answer in time, and events that go on when it is back', async (context) => {
    mysql.require(context);
    const path = await undecided('carl');
    const source = await EventSourceReader.open(`${stack.app('api').publicUrl}${path}/events`);
    const answer = stack.request(`${path}?wait=8`);
    await waiting(1);
    await mysql.freeze();
    stack.app('issuer').signal('SIGCONT');
    const { status, body } = await answer;
    expect([status, body.code]).toEqual([503, 'UNAVAILABLE']);
    mysql.thaw();
    await source.ended;
    expect(source.events.at(-1)).toMatchObject({ event: 'decided', id: 'ISSUED' });
  });

  it('and redeems while MySQL stands still: 503 in time, and the same request again tells', async (context) => {
    mysql.require(context);
    const { body } = await stack.assign(couponId, 'dora');
    const path = body.status_url as string;
    await expect.poll(async () => (await stack.request(path)).body.status, patience).toBe('ISSUED');
    await mysql.freeze();
    const redeem = (): Promise<Answer> => {
      const reference = JSON.stringify({ reference: 'order-1' });
      const headers = { 'content-type': 'application/json' };
      return stack.request(`${path}/redeem`, { method: 'POST', headers, body: reference });
    };
    const refused = await redeem();
    expect([refused.status, refused.body.code]).toEqual([503, 'UNAVAILABLE']);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.body.detail).toContain('Send the same request again');
    // Nobody who wants a unit is held up.
    expect((await stack.assign(couponId, 'emil')).status).toBe(200);
    mysql.thaw();
    await expect.poll(async () => (await redeem()).status, patience).toBe(200);
    expect((await stack.request(path)).body.status).toBe('REDEEMED');
  });
});
