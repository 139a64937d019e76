import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rush } from '../harness/stack/rush.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { verify } from '../harness/stack/verify.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

async function change(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await stack.firstcome('coupon', ...args);
  expect(exitCode, stderr).toBe(0);
}

async function show(couponId: number): Promise<{ total: number; left: number; issued: number }> {
  const { stdout } = await stack.firstcome('coupon', 'show', String(couponId), '--json');
  return JSON.parse(stdout) as { total: number; left: number; issued: number };
}

async function newcomerGets(couponId: number, name: string): Promise<string> {
  const { body } = await stack.assign(couponId, name);
  return body.code ?? body.status;
}

/** Whatever the clients were told is true, and as many are issued as were told so. */
async function expectKeptWord(...rushes: Rush[]): Promise<void> {
  const { exitCode, stdout } = await verify(
    stack,
    rushes.flatMap(({ answers }) => answers),
  );
  expect(exitCode, stdout).toBe(0);
}

describe('while clients rush', () => {
  /** Of the first two tests, which mostly wait, each for its own coupon. */
  const atOnce: Rush[] = [];

  test.concurrent(
    'a coupon opens no earlier and closes no later than it says, by the clock of Redis, while clients rush',
    async () => {
      const opensAt = Math.ceil(Date.now() / 1_000) * 1_000 + 15_000;
      const closesAt = opensAt + 3_000;
      const couponId = await stack.createCoupon(
        1_000_000,
        '--opens-at',
        new Date(opensAt).toISOString(),
        '--closes-at',
        new Date(closesAt).toISOString(),
      );
      const rush = new Rush(stack, couponId, { clients: 10, pauseMs: 20 });
      atOnce.push(rush);
      const codes = (): Set<string> =>
        new Set(rush.answers.map(({ body }) => body.code ?? body.status));
      const wanted = ['NOT_OPEN', 'ACCEPTED', 'CLOSED'];
      await expect
        .poll(() => [...codes()], { timeout: 60_000 })
        .toEqual(expect.arrayContaining(wanted));
      await rush.finish();

      const times = rush.accepted.map(({ body }) => Date.parse(body.accepted_at));
      expect(Math.min(...times)).toBeGreaterThanOrEqual(opensAt);
      expect(Math.max(...times)).toBeLessThan(closesAt);
    },
    90_000,
  );

  test.concurrent(
    'a pause admits nobody new once it has returned, and resuming does',
    async () => {
      const couponId = await stack.createCoupon(100_000);
      const id = String(couponId);
      const rush = new Rush(stack, couponId, { clients: 10, pauseMs: 5 });
      atOnce.push(rush);
      for (const round of [1, 2]) {
        await expect.poll(() => rush.accepted.length).toBeGreaterThan(round * 20);
        await change('pause', id);
        expect(await newcomerGets(couponId, `paused-${round}`)).toBe('PAUSED');
        await change('resume', id);
        expect(await newcomerGets(couponId, `resumed-${round}`)).toBe('ACCEPTED');
      }
      await change('close', id, '--yes');
      expect(await newcomerGets(couponId, 'too late')).toBe('CLOSED');
      await rush.finish();
    },
    90_000,
  );

  test('whoever was told something while coupons opened, paused and closed was told the truth', async () => {
    expect(atOnce).toHaveLength(2);
    await expectKeptWord(...atOnce);
  });

  test('the total is raised and lowered: as many are issued as the last total, to the unit', async () => {
    const couponId = await stack.createCoupon(50);
    const id = String(couponId);
    // Slow enough for a command to come before 1 500 are taken.
    const rush = new Rush(stack, couponId, { clients: 20, pauseMs: 80 });
    await expect.poll(() => rush.accepted.length).toBe(50);

    await change('set-total', id, '2000');
    await expect.poll(() => rush.accepted.length).toBeGreaterThan(200);
    await change('set-total', id, '1500');
    await expect.poll(() => rush.accepted.length, { timeout: 30_000 }).toBe(1_500);
    const tooLow = await stack.firstcome('coupon', 'set-total', id, '1499');
    expect([tooLow.exitCode, tooLow.stderr]).toEqual([1, expect.stringContaining('1500 of')]);
    await rush.finish();

    await expectKeptWord(rush);
    expect(await show(couponId)).toMatchObject({ total: 1_500, left: 0, issued: 1_500 });
    expect(rush.accepted).toHaveLength(1_500);
  });

  test('a recovery in the middle of changes undoes none of them, and forgets nobody', async () => {
    const couponId = await stack.createCoupon(200);
    const id = String(couponId);
    const rush = new Rush(stack, couponId, { clients: 10 });
    await expect.poll(() => rush.accepted.length).toBeGreaterThan(20);

    await Promise.all([stack.space.emptyGate(), change('set-total', id, '600')]);
    await expect.poll(() => rush.accepted.length, { timeout: 30_000 }).toBeGreaterThan(250);
    await Promise.all([stack.space.emptyGate(), change('pause', id)]);
    // Somebody new each time: a recovery that came before the pause may admit for a moment.
    let newcomers = 0;
    const newcomer = () => newcomerGets(couponId, `newcomer-${(newcomers += 1)}`);
    await expect.poll(newcomer, { timeout: 30_000 }).toBe('PAUSED');
    await Promise.all([change('resume', id), stack.space.emptyGate()]);
    await expect.poll(() => rush.accepted.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(550);
    await rush.finish();

    await expectKeptWord(rush);
    const { total, left, issued } = await show(couponId);
    expect([total, left + issued]).toEqual([600, 600]);
  });
});
