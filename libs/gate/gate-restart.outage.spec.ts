import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { OwnServer } from '../../test/harness/servers/own-server.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';

const here = new TestGate();
const { gate } = here;
const redis = new OwnServer('gate-redis');

beforeAll(() => here.start());
afterEach(() => redis.start());
afterAll(() => here.close());

describe('a restart of Redis', () => {
  test('shuts every gate although no data is lost, until a recovery opens it', async (context) => {
    redis.require(context);
    const coupon = await here.openCoupon();
    const issuanceId = await here.take(coupon.id, 'ann');
    const claimed = here.newCoupon();
    await gate.fence(claimed.id, claimed.epoch);
    const runId = await here.claim(claimed, 'before the restart');

    await redis.restart();
    await vi.waitFor(() => gate.now(), { timeout: 20_000 });

    expect(await gate.heldBy(coupon.id, ['ann'])).toEqual([issuanceId]);
    expect(await gate.inspect(coupon.id)).toMatchObject({ gate: 'fenced', left: 9, pending: 1 });
    expect(await gate.reserve(coupon.id, ['ann', 'bob'])).toEqual({ gate: 'fenced' });
    expect(await gate.confirm(coupon.id, 1, [{ userId: 'ann', issuanceId }])).toBe(false);
    expect(await gate.listPending(coupon.id, 0, 10)).toEqual([]);
    expect(await gate.open(claimed, 'before the restart', runId, 0)).toBe(false);

    const next = { ...coupon, epoch: 2 };
    await gate.fence(coupon.id, 2);
    expect(await here.rebuild(next, [{ userId: 'ann', issuanceId }])).toBe(true);
    expect(await here.outcomes(coupon.id, 'ann')).toEqual([
      { kind: 'replayed', issuanceId, pending: false },
    ]);
  });
});
