import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer, Told } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { verify } from '../harness/stack/verify.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

async function coupon(...args: string[]): Promise<string> {
  return stack.firstcomeOrThrow('coupon', ...args);
}

async function closedCouponOf(...users: string[]): Promise<{ id: number; answers: Told[] }> {
  const id = await stack.createCoupon(10);
  const answers = await Promise.all(users.map((user) => stack.assign(id, user)));
  expect(answers.map(({ status }) => status)).toEqual(users.map(() => 200));
  await coupon('close', String(id), '--yes');
  return { id, answers };
}

async function read(path: string): Promise<Answer> {
  return stack.request(`/api/v1/${path}`);
}

test('of an archived coupon holders get what they have, others that it is closed, and it may come back', async () => {
  const { id, answers } = await closedCouponOf('ann', 'bob');
  const [ann, bob] = answers as [Told, Told];
  await coupon('archive', String(id));

  for (const [user, before] of [['ann', ann] as const, ['bob', bob] as const]) {
    await expect
      .poll(async () => (await stack.assign(id, user)).body.issuance_id)
      .toBe(before.body.issuance_id);
    const repeat = await stack.assign(id, user);
    expect([repeat.status, repeat.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
  }
  const newcomer = await stack.assign(id, 'eve');
  expect([newcomer.status, newcomer.body.code]).toEqual([409, 'CLOSED']);
  expect((await read(`issuances/${ann.body.issuance_id}`)).body).toMatchObject({
    status: 'ISSUED',
    coupon_id: id,
  });
  expect((await read('users/bob/coupons')).body).toMatchObject({
    coupons: [{ issuance_id: bob.body.issuance_id }],
  });
  expect((await read(`coupons/${id}`)).body).toMatchObject({ state: 'CLOSED', left: 8, total: 10 });

  const resumed = await stack.firstcome('coupon', 'set-total', String(id), '20');
  expect([resumed.exitCode, resumed.stderr]).toEqual([
    1,
    expect.stringContaining('is archived: unarchive it first'),
  ]);
  expect(await coupon('list')).not.toMatch(new RegExp(`^${id} `, 'm'));
  expect(await coupon('list', '--archived')).toMatch(new RegExp(`^${id} .*ARCHIVED`, 'm'));
  const whileGone = await verify(stack, answers);
  expect(whileGone.exitCode, whileGone.stdout).toBe(0);

  await coupon('unarchive', String(id));
  await expect
    .poll(async () => (await stack.assign(id, 'ann')).body.issuance_id)
    .toBe(ann.body.issuance_id);
  expect((await stack.assign(id, 'eve')).body.code).toBe('CLOSED');
  const back = await verify(stack, answers);
  expect(back.exitCode, back.stdout).toBe(0);
}, 90_000);

test('a coupon that does not exist is not found, whatever is archived', async () => {
  expect((await stack.assign(2_000_000_000, 'ann')).body.code).toBe('COUPON_NOT_FOUND');
  expect((await read('coupons/2000000000')).status).toBe(404);
});

test('a crowd that repeats at an archived coupon gets no wrong answer, and others are served beside it', async () => {
  const { id, answers } = await closedCouponOf('zoe');
  const running = await stack.createCoupon(100_000);
  await coupon('archive', String(id));
  await expect.poll(async () => (await stack.assign(id, 'zoe')).status).toBe(200);

  const crowd = Array.from({ length: 600 }, (_, i) =>
    stack.assign(id, i % 2 === 0 ? 'zoe' : `new-${i}`),
  );
  const beside = Array.from({ length: 50 }, (_, i) => stack.assign(running, `user-${i}`));
  for (const { status, body } of await Promise.all(crowd)) {
    const isRight =
      (status === 200 && body.issuance_id === answers[0]!.body.issuance_id) ||
      (status === 409 && body.code === 'CLOSED') ||
      (status === 503 && body.code === 'OVERLOADED');
    expect(isRight, `${status} ${JSON.stringify(body)}`).toBe(true);
  }
  expect((await Promise.all(beside)).filter(({ status }) => status !== 200)).toEqual([]);
});
