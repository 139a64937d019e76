import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { StackLog } from '../harness/stack/stack-log.ts';
import { startStack } from '../harness/stack/test-stack.ts';

describe('a record of an unknown version', () => {
  let stack: Stack;
  let log: StackLog;
  /** On the partition that is stopped, and on the other one. */
  let stopped: number;
  let unaffected: number;

  beforeAll(async () => {
    stack = await startStack();
    // Two coupons on two partitions: each new one takes the partition that is used least.
    stopped = await stack.createCoupon(10);
    unaffected = await stack.createCoupon(10);
    log = await StackLog.connect(stack);
    await log.append(0, { v: 99 });
  });
  afterAll(async () => {
    await log.close();
    await stack.stop();
  });

  async function statusAfterAssign(
    couponId: number,
    userId: string,
  ): Promise<() => Promise<string>> {
    const { body } = await stack.assign(couponId, userId);
    return async () => (await stack.request(body.status_url)).body.status;
  }

  it('stops its partition with the reason in words, and skips nothing behind it', async () => {
    await expect
      .poll(async () => (await stack.app('issuer').readiness())?.text)
      .toContain('the record is of version 99, this issuer reads version 1');
    const behind = await statusAfterAssign(stopped, 'behind');
    const beside = await statusAfterAssign(unaffected, 'beside');
    await expect.poll(beside).toBe('ISSUED');
    expect(await behind()).toBe('ACCEPTED');
  });

  it('holds up the recovery of its own coupons only', async () => {
    await stack.space.emptyGate();
    await expect
      .poll(async () => (await stack.assign(unaffected, 'beside')).status, { timeout: 30_000 })
      .toBe(200);
    const answer = await stack.assign(stopped, 'behind');
    expect([answer.status, answer.body.code]).toEqual([503, 'RECOVERING']);
  });
});
