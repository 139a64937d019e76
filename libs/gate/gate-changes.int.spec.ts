import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestGate } from '../../test/harness/stores/test-gate.ts';

const here = new TestGate();
const { gate } = here;

beforeAll(() => here.start());
afterAll(() => here.close());

describe('a change of a coupon', () => {
  test('takes effect at once, and says in which epoch', async () => {
    const coupon = await here.openCoupon({ epoch: 3 });
    await here.take(coupon.id, 'ann');
    const changed = { ...coupon, total: 25, version: 2 };
    expect(await gate.applyCoupon(changed)).toEqual({ kind: 'applied', epoch: 3, serial: 2 });
    expect(await gate.inspect(coupon.id)).toMatchObject({
      gate: 'open',
      total: 25,
      left: 24,
      holders: 1,
      version: 2,
      pending: 1,
    });
  });

  test('pauses, resumes and sets times', async () => {
    const coupon = await here.openCoupon();
    const opensAt = (await gate.now()) + 60_000;
    const steps = [
      { state: 'paused' as const, expected: 'paused' },
      { state: 'open' as const, opensAt, expected: 'not_open' },
      { state: 'open' as const, closesAt: 1, expected: 'closed' },
      { state: 'open' as const, expected: 'reserved' },
    ];
    for (const [i, { expected, ...given }] of steps.entries()) {
      await gate.applyCoupon({ ...coupon, ...given, version: i + 2 });
      expect((await here.outcomes(coupon.id, 'ann'))[0]?.kind).toBe(expected);
    }
  });

  test('sells out a coupon whose total is lowered to what is taken, and sells on when raised', async () => {
    const coupon = await here.openCoupon();
    await here.take(coupon.id, 'ann');
    await gate.applyCoupon({ ...coupon, total: 1, version: 2 });
    expect(await here.outcomes(coupon.id, 'bob')).toEqual([{ kind: 'sold_out' }]);
    await gate.applyCoupon({ ...coupon, total: 2, version: 3 });
    expect((await here.outcomes(coupon.id, 'bob', 'eve')).map(({ kind }) => kind)).toEqual([
      'reserved',
      'sold_out',
    ]);
  });

  test('is never applied twice, nor an older one after a newer one', async () => {
    const coupon = await here.openCoupon({ version: 5 });
    for (const version of [5, 4]) {
      const stale = { ...coupon, total: 99, version };
      expect(await gate.applyCoupon(stale)).toEqual({ kind: 'stale' });
    }
    expect(await gate.inspect(coupon.id)).toMatchObject({ total: 10, version: 5 });
  });

  test('compares versions as numbers, not as text', async () => {
    const coupon = await here.openCoupon({ version: 9 });
    expect((await gate.applyCoupon({ ...coupon, version: 10 })).kind).toBe('applied');
    expect((await gate.applyCoupon({ ...coupon, version: 9 })).kind).toBe('stale');
  });

  test('never leaves less than nothing: a total below what is held changes nothing', async () => {
    const coupon = await here.openCoupon();
    await here.outcomes(coupon.id, 'ann', 'bob', 'eve');
    const tooLow = { ...coupon, total: 2, state: 'paused' as const, version: 2 };
    expect(await gate.applyCoupon(tooLow)).toEqual({ kind: 'below_holders', holders: 3 });
    expect(await gate.inspect(coupon.id)).toMatchObject({ total: 10, left: 7, version: 1 });
    expect((await here.outcomes(coupon.id, 'dan'))[0]?.kind).toBe('reserved');
  });

  test('waits for the recovery where the gate is shut, whatever shut it', async () => {
    const fenced = await here.openCoupon();
    await gate.fence(fenced.id, 2);
    const broken = await here.openCoupon();
    await here.breakRunId(broken.id);
    for (const coupon of [fenced, broken, here.newCoupon()]) {
      const changed = { ...coupon, total: 99, version: 2 };
      expect(await gate.applyCoupon(changed)).toEqual({ kind: 'fenced' });
      expect((await gate.inspect(coupon.id)).total).not.toBe(99);
    }
  });
});

test('coupons do not touch each other', async () => {
  const [one, other] = [await here.openCoupon({ total: 1 }), await here.openCoupon({ total: 1 })];
  const id = await here.take(one.id, 'ann');
  expect(await here.outcomes(other.id, 'bob')).toMatchObject([{ kind: 'reserved' }]);
  expect(await gate.release(other.id, 1, [{ userId: 'ann', issuanceId: id }])).toBe(0);
  expect(await gate.heldBy(one.id, ['ann', 'bob'])).toEqual([id, null]);
});
