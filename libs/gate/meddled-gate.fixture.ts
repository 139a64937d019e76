import { expect } from 'vitest';
import { anIssuanceId } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { HeldIssuance } from './gate.ts';

/* A gate in a Redis that lives on while another hand meddles with its keys. */

export const here = new TestGate();
const { gate } = here;

export const bob: HeldIssuance = { userId: 'bob', issuanceId: anIssuanceId() };

/** Bob holds a unit for good, and what ann has reserved is pending. */
export async function openGate(): Promise<{ coupon: Coupon; ann: HeldIssuance }> {
  const coupon = await here.openCoupon({ total: 4 }, [bob]);
  return { coupon, ann: { userId: 'ann', issuanceId: await here.take(coupon.id, 'ann') } };
}

/** Every script answers, and nothing is admitted, settled, given back, changed or handed on. */
export async function expectShut(coupon: Coupon, ann: HeldIssuance, by = gate): Promise<void> {
  const { id } = coupon;
  expect((await by.inspect(id)).gate).not.toBe('open');
  expect(await by.listPending(id, 0, 10)).toEqual([]);
  expect(await by.confirm(id, 1, [ann])).toBe(false);
  expect(await by.release(id, 1, [bob])).toBe(0);
  expect(await by.applyCoupon({ ...coupon, version: 9, total: 9 })).toEqual({ kind: 'fenced' });
  expect((await by.reserve(id, ['ann', 'bob', 'eve'])).gate).not.toBe('open');
}

/** The steps of a recovery in epoch 2, which has found both in MySQL. */
export async function expectRecovered(coupon: Coupon, ann: HeldIssuance): Promise<void> {
  const { id } = coupon;
  expect(await gate.fence(id, 2)).toBe(2);
  expect(await here.rebuild({ ...coupon, epoch: 2 }, [ann, bob])).toBe(true);
  expect(await gate.inspect(id)).toMatchObject({ gate: 'open', epoch: 2, left: 2, holders: 2 });
  expect(await here.outcomes(id, 'ann', 'bob', 'eve')).toEqual([
    { kind: 'replayed', issuanceId: ann.issuanceId, pending: false },
    { kind: 'replayed', issuanceId: bob.issuanceId, pending: false },
    { kind: 'reserved', issuanceId: expect.any(String) },
  ]);
}
