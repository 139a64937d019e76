import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultPoints } from '#platform/fault-point.js';
import { userIds } from './support/fixtures.ts';
import { Stack } from './support/stack.ts';

const users = userIds(3);
let stack: Stack;
let couponId: number;
let idOf: Map<string, string>;

beforeAll(async () => {
  stack = await Stack.start();
  couponId = await stack.createCoupon(100);
  const answers = await Promise.all(users.map((user) => stack.assign(couponId, user)));
  idOf = new Map(answers.map(({ body }) => [body.user_id, body.issuance_id]));
  expect(idOf.size).toBe(users.length);
});
afterAll(() => stack.stop());

/** Everybody gets the same id again, from a gate that has counted right. */
async function expectNobodyForgotten(): Promise<void> {
  for (const user of users) {
    await expect
      .poll(async () => (await stack.assign(couponId, user)).body, { timeout: 30_000 })
      .toMatchObject({ issuance_id: idOf.get(user), status: 'ACCEPTED' });
  }
  const { exitCode, stdout } = await stack.firstcome('verify');
  expect(exitCode, stdout).toBe(0);
}

describe('a recovery whose keeper is killed', () => {
  const points = faultPoints.filter((point) => point.startsWith('recovery.'));

  test.each(points)('at %s is replaced by the next one, and nobody is forgotten', async (point) => {
    await stack.app('keeper').stop();
    await stack.flushGate();
    const doomed = await stack.startApp(
      'keeper',
      { FAULT_POINT: point },
      { waitUntilReady: false },
    );
    expect(await doomed.exit()).toEqual({ code: null, signal: 'SIGKILL' });

    const meanwhile = await stack.assign(couponId, users[0]!);
    expect([meanwhile.status, meanwhile.body.code]).toEqual([503, 'RECOVERING']);
    expect(Number(meanwhile.headers.get('retry-after'))).toBeGreaterThan(0);

    await stack.startApp('keeper');
    await expectNobodyForgotten();
  });
});

test('keepers that race each other open the gate once and for all, and nobody is forgotten', async () => {
  await Promise.all([stack.startApp('keeper'), stack.startApp('keeper')]);
  for (let round = 0; round < 5; round += 1) {
    await stack.flushGate();
    await expectNobodyForgotten();
  }
});
