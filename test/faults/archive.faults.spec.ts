import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultPoints } from '#platform/process/fault-point.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { verify } from '../harness/stack/verify.ts';

/** A second: the keeper archives what ended that long ago. */
const archiveSoon = { ARCHIVE_AFTER_H: String(1 / 3_600) };
let stack: Stack;
let stores: StackStores;

beforeAll(async () => {
  stack = await startStack(['api', 'issuer']);
  stores = new StackStores(stack);
  await stack.startApp('keeper');
});
afterAll(async () => {
  await stores?.close();
  await stack?.stop();
});

describe('an archiving whose keeper is killed', () => {
  const points = faultPoints.filter((point) => point.startsWith('archive.'));

  test.each(points)(
    'at %s is finished by the next one, and holders keep what they have',
    async (point) => {
      const couponId = await stack.createCoupon(5);
      const answer = await stack.assign(couponId, 'ann');
      expect(answer.status).toBe(200);
      await stack.firstcomeOrThrow('coupon', 'close', String(couponId), '--yes');
      await stack.app('keeper').stop();
      const doomed = await stack.startApp(
        'keeper',
        { ...archiveSoon, FAULT_POINT: point },
        { waitUntilReady: false },
      );
      expect(await doomed.exit()).toEqual({ code: null, signal: 'SIGKILL' });
      const meanwhile = await stack.assign(couponId, 'ann');
      expect([200, 503]).toContain(meanwhile.status);

      await stack.startApp('keeper');
      await expect
        .poll(() => stores.redis.keys(`${stack.env['GATE_KEY_PREFIX']}{coupon:${couponId}}:*`), {
          timeout: 60_000,
        })
        .toEqual([]);
      const repeat = async (): Promise<unknown> => {
        const { status, body } = await stack.assign(couponId, 'ann');
        return [status, body.issuance_id];
      };
      await expect.poll(repeat).toEqual([200, answer.body.issuance_id]);
      const { exitCode, stdout } = await verify(stack, [answer]);
      expect(exitCode, stdout).toBe(0);
    },
  );
});
