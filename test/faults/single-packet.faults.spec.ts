import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { attack, burstSize } from '../single-packet/attack.ts';
import { openHttp1Burst, openHttp2Burst } from '../single-packet/bursts.ts';
import { openFront } from '../single-packet/front.ts';

/** `npm run test:burst` has more: its report is docs/reports/single-packet.md. */
const rounds = 30;

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

const oneUnitEach = {
  statuses: { 200: rounds * burstSize },
  usersWithSeveralIds: 0,
  issued: rounds,
  usersIssued: rounds,
};

test('thirty requests of one user whose last bytes come together get one unit and one id', async () => {
  const couponId = await stack.createCoupon(1_000);
  using burst = await openHttp1Burst(stack.app('api').publicUrl, burstSize);
  expect(await attack(stack, couponId, burst, rounds)).toMatchObject(oneUnitEach);
});

test('thirty streams of HTTP/2 that end in one packet, through a proxy, get one unit and one id', async () => {
  const couponId = await stack.createCoupon(1_000);
  await using front = await openFront(stack.app('api').publicUrl);
  using burst = await openHttp2Burst(front.url, burstSize);
  expect(await attack(stack, couponId, burst, rounds)).toMatchObject(oneUnitEach);
});
