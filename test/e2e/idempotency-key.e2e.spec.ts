import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../infra/harness/assign.ts';
import { assign } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { startStack } from '../harness/stack/test-stack.ts';

let stack: Stack;
let api: App;
let stores: StackStores;
let couponId: number;
let otherId: number;

beforeAll(async () => {
  stack = await startStack(['api', 'keeper']);
  api = stack.app('api');
  stores = await StackStores.connect(stack);
  [couponId, otherId] = await Promise.all([stack.createCoupon(1_000), stack.createCoupon(1_000)]);
});
afterAll(async () => {
  await stores.close();
  await stack.stop();
});

function ask(key: string, userId: string, id = couponId, of = api): Promise<Answer> {
  return assign(of, { couponId: id, userId }, { headers: { 'idempotency-key': key } });
}

async function holders(id: number): Promise<number> {
  return (await stores.gate.inspect(id)).holders;
}

/** As if Redis had lost them. */
async function forgetKeys(): Promise<void> {
  const names = await stores.redis.keys(`${stack.env['GATE_KEY_PREFIX']}{idempotency:*`);
  expect(names.length).toBeGreaterThan(0);
  await stores.redis.unlink(...names);
}

describe('Idempotency-Key', () => {
  test('of the same body gets the same issuance, quoted or not', async () => {
    const first = await ask('"once"', 'ann');
    const again = await ask('once', 'ann');
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  test('of another body is 422, and nothing is taken', async () => {
    expect((await ask('mine', 'bob')).status).toBe(200);
    const before = await holders(otherId);
    const { status, body, headers } = await ask('mine', 'bob', otherId);
    expect([status, body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(headers.get('x-should-retry')).toBe('false');
    expect(await holders(otherId)).toBe(before);
  });

  test('of another user is another one', async () => {
    expect((await ask('shared', 'carol')).status).toBe(200);
    expect((await ask('shared', 'dave', otherId)).status).toBe(200);
  });

  test('that is none is 400 and names the header', async () => {
    for (const key of ['', '"open', 'a b', 'x'.repeat(256)]) {
      const { status, body } = await ask(key, 'eve');
      expect([status, body.code, body.errors[0].field]).toEqual([
        400,
        'INVALID_REQUEST',
        'Idempotency-Key',
      ]);
    }
  });

  test('sent many times at once gets one issuance for all, and none is told to come again', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask('at-once', 'frank')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.issuance_id)).size).toBe(1);
  });

  test('sent at once with two bodies is good for one of them', async () => {
    const answers = await Promise.all([ask('torn', 'gina'), ask('torn', 'gina', otherId)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422]);
  });

  test('keeps no failure: what was sold out is given when there is more', async () => {
    const scarce = await stack.createCoupon(1);
    await ask('other', 'first', scarce);
    expect((await ask('again', 'hugo', scarce)).body.code).toBe('SOLD_OUT');
    await stack.firstcomeOrThrow('coupon', 'set-total', String(scarce), '2');
    expect((await ask('again', 'hugo', scarce)).status).toBe(200);
  });

  test('after UNCONFIRMED drives what was begun to its end', async () => {
    const env = { KAFKA_BROKERS: '127.0.0.1:9', PUBLISH_TIMEOUT_MS: '1000' };
    const mute = await stack.startApp('api', env, { isApart: true, waitUntilReady: false });
    await expect
      .poll(
        async () => (await ask('driven', 'ida', couponId, mute).catch(() => undefined))?.body.code,
        {
          timeout: 60_000,
        },
      )
      .toBe('UNCONFIRMED');
    const unconfirmed = await ask('driven', 'ida', couponId, mute);
    const confirmed = await ask('driven', 'ida');
    expect(confirmed.status).toBe(200);
    expect(confirmed.body.issuance_id).toBe(unconfirmed.body.issuance_id);
    await mute.stop();
  });

  test('that Redis has lost gives nobody a second unit', async () => {
    const first = await ask('lost', 'jack');
    await forgetKeys();
    const again = await ask('lost', 'jack');
    expect(again.body).toEqual(first.body);
    expect(await stores.gate.heldBy(couponId, ['jack'])).toEqual([first.body.issuance_id]);
  });

  test('while Redis is away is RECOVERING, as without one, and good afterwards', async () => {
    const redis = await TcpProxy.before(stack.env['GATE_REDIS_URL']!);
    const env = {
      GATE_REDIS_URL: redis.through(stack.env['GATE_REDIS_URL']!),
      GATE_TIMEOUT_MS: '1000',
    };
    const cut = await stack.startApp('api', env, { isApart: true });
    const first = await ask('away', 'kim', couponId, cut);
    redis.hold();
    expect((await ask('away', 'kim', couponId, cut)).body.code).toBe('RECOVERING');
    redis.release();
    const again = async (): Promise<unknown> => (await ask('away', 'kim', couponId, cut)).body;
    await expect.poll(again, { timeout: 30_000 }).toEqual(first.body);
    expect((await ask('away', 'kim', otherId, cut)).status).toBe(422);
    await cut.stop();
    await redis.close();
  });
});
