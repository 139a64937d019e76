import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { untilOpen } from './until-open.ts';

const here = new TestGate();

beforeAll(() => here.start());
afterAll(() => here.close());

test('who waits for a gate is told as soon as it is open', async () => {
  const coupon = here.newCoupon();
  let isTold = false;
  const waiting = untilOpen(here.gate, coupon.id, 15_000).finally(() => (isTold = true));
  // Answers come in the order of the questions: it has looked by now.
  await here.gate.inspect(coupon.id);
  await here.gate.inspect(coupon.id);
  expect(isTold).toBe(false);
  await here.rebuild(coupon, []);
  expect(await waiting).toBe(true);
});

test('who waits for a gate that stays shut is told when the time is up, and not before', async () => {
  const { id } = here.newCoupon();
  const startedAt = performance.now();
  expect(await untilOpen(here.gate, id, 250)).toBe(false);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(250);
});
