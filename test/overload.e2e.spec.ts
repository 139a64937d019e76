import { afterAll, beforeAll, expect, test } from 'vitest';
import { userIds } from './support/fixtures.ts';
import type { Answer } from './support/stack.ts';
import { Stack } from './support/stack.ts';

let stack: Stack;
let couponId: number;

beforeAll(async () => {
  stack = await Stack.prepare();
  await stack.startApp('api', { ASSIGN_IN_FLIGHT_MAX: '20' });
  await Promise.all((['issuer', 'keeper'] as const).map((kind) => stack.startApp(kind)));
  couponId = await stack.createCoupon(1_000);
});
afterAll(() => stack.stop());

test('what is too much at once gets 503 OVERLOADED, and what is admitted is issued', async () => {
  const users = userIds(300);
  const answers = await Promise.all(users.map((user) => stack.assign(couponId, user)));
  const [admitted, sentAway] = [byStatus(answers, 200), byStatus(answers, 503)];
  expect(admitted.length + sentAway.length).toBe(users.length);
  expect(admitted.length).toBeGreaterThanOrEqual(20);
  expect(sentAway.length).toBeGreaterThan(0);
  expect(new Set(sentAway.map(({ body }) => body.code))).toEqual(new Set(['OVERLOADED']));

  const waits = sentAway.map(({ headers }) => Number(headers.get('retry-after')));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1);
  expect(Math.max(...waits)).toBeLessThanOrEqual(4);
  expect(new Set(waits).size).toBeGreaterThan(1);

  for (const { body } of admitted) {
    await expect
      .poll(async () => (await stack.request(body.status_url)).body.status)
      .toBe('ISSUED');
  }
  // The api reads the list of campaigns once a second; this one is younger than that.
  await expect
    .poll(async () => (await stack.request(`/api/v1/coupons/${couponId}`)).body.left)
    .toBe(1_000 - admitted.length);
});

function byStatus(answers: Answer[], status: number): Answer[] {
  return answers.filter((answer) => answer.status === status);
}
