import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import type { Told } from '../../infra/harness/assign.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { verify } from '../harness/stack/verify.ts';

/* What another hand does to the gate in a Redis that lives on. */

let stack: Stack;
let stores: StackStores;

beforeAll(async () => {
  stack = await startStack();
  stores = await StackStores.connect(stack);
});
afterAll(async () => {
  await stores?.close();
  await stack?.stop();
});

const answers: Told[] = [];

async function ask(couponId: number, userId: string): Promise<Told> {
  const told = await stack.assign(couponId, userId);
  answers.push(told);
  return told;
}

/** The id of a user, once the coupon serves. */
async function idOf(couponId: number, userId: string): Promise<string> {
  let told = await ask(couponId, userId);
  await expect
    .poll(async () => (told.status === 200 ? 200 : (told = await ask(couponId, userId)).status), {
      timeout: 40_000,
    })
    .toBe(200);
  return told.body.issuance_id;
}

const keysOf = (couponId: number): string => `${stack.env['GATE_KEY_PREFIX']}{coupon:${couponId}}`;

async function expectTrueToAll(): Promise<void> {
  const { exitCode, stdout } = await verify(stack, answers, '--wait', '60');
  expect(exitCode, stdout).toBe(0);
}

test('holders that are lost while the coupon is changed are neither forgotten nor sold again', async () => {
  const couponId = await stack.createCoupon(4);
  const first = await idOf(couponId, 'ann');
  await idOf(couponId, 'bob');
  await stack.app('keeper').stop();

  await stores.redis.unlink(`${keysOf(couponId)}:holders`);
  for (const action of ['pause', 'resume']) {
    await stack.firstcome('coupon', action, String(couponId));
  }
  for (const userId of ['ann', 'cho', 'dan', 'eve']) {
    const { status, body } = await ask(couponId, userId);
    expect([status, body.code]).toEqual([503, 'RECOVERING']);
  }

  await stack.startApp('keeper');
  expect(await idOf(couponId, 'ann')).toBe(first);
  const codes: string[] = [];
  for (const userId of ['cho', 'dan', 'eve']) {
    const { body } = await ask(couponId, userId);
    codes.push(body.code ?? body.status);
  }
  expect(codes).toEqual(['ACCEPTED', 'ACCEPTED', 'SOLD_OUT']);
  await expectTrueToAll();
});

test('a gate without a field and one of another run both serve again by themselves', async () => {
  const broken = await stack.createCoupon(10);
  const other = await stack.createCoupon(10);
  const ids = [await idOf(broken, 'ann'), await idOf(other, 'ann')];
  await stores.redis.hdel(`${keysOf(broken)}:meta`, 'left');
  await stores.redis.hset(`${keysOf(other)}:meta`, 'run_id', 'foreign');
  expect([await idOf(other, 'ann'), await idOf(broken, 'ann')]).toEqual(ids.toReversed());
  await idOf(broken, 'bob');
  await idOf(other, 'bob');
  await expectTrueToAll();
});

test('a gate that is put back from an older epoch acknowledges nobody for nothing', async () => {
  const couponId = await stack.createCoupon(10);
  await idOf(couponId, 'ann');
  const parts = ['meta', 'holders'].map((part) => `${keysOf(couponId)}:${part}`);
  const older = await Promise.all(parts.map((key) => stores.redis.dumpBuffer(key)));
  const epoch = await stores.epochOf(couponId);

  await stores.gate.fence(couponId, epoch + 1);
  const second = await idOf(couponId, 'bob');
  expect(await stores.epochOf(couponId)).toBeGreaterThan(epoch);

  const putBack = stores.redis.multi().unlink(...parts);
  parts.forEach((key, i) => putBack.restore(key, 0, older[i]!));
  await putBack.exec();
  expect((await ask(couponId, 'cho')).status).toBe(503);
  expect(await idOf(couponId, 'bob')).toBe(second);
  await idOf(couponId, 'cho');
  await expectTrueToAll();
});

test.each(['meta', 'holders', 'pending'])(
  'a gate whose %s is of a wrong type is rebuilt by itself, nobody forgotten, and holds up no other',
  async (part) => {
    const [broken, other] = [await stack.createCoupon(10), await stack.createCoupon(10)];
    const first = await idOf(broken, 'ann');
    const key = `${keysOf(broken)}:${part}`;
    await stores.redis.multi().unlink(key).rpush(key, 'what another hand has put there').exec();
    expect((await ask(other, 'ann')).status).toBe(200);
    expect(await idOf(broken, 'ann')).toBe(first);
    await idOf(broken, 'bob');
    await expectTrueToAll();
  },
);

test('a shut gate whose coupon is gone from MySQL holds up no recovery of another, and serves again with its row', async () => {
  const [gone, other] = [await stack.createCoupon(10), await stack.createCoupon(10)];
  const ids = [await idOf(gone, 'ann'), await idOf(other, 'ann')];
  // Decided before its coupon goes: afterwards it would be refused, and ann be given another id.
  for (const id of ids) {
    await expect
      .poll(async () => (await stack.request(`/api/v1/issuances/${id}`)).body.status)
      .toBe('ISSUED');
  }
  await stack.app('keeper').stop();
  await stores.query('CREATE TABLE kept AS SELECT * FROM coupon WHERE id = ?', [gone]);
  await stores.query('DELETE FROM coupon WHERE id = ?', [gone]);
  for (const couponId of [gone, other]) {
    await stores.redis.hdel(`${keysOf(couponId)}:meta`, 'left');
  }

  await stack.startApp('keeper');
  expect(await idOf(other, 'ann')).toBe(ids[1]);
  await expect.poll(async () => (await ask(gone, 'bob')).body.code).toBe('COUPON_NOT_FOUND');

  await stores.query('INSERT INTO coupon SELECT * FROM kept');
  expect(await idOf(gone, 'ann')).toBe(ids[0]);
  await idOf(gone, 'bob');
  await expectTrueToAll();
});
