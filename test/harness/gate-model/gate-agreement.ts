import { expect } from 'vitest';
import { reservedAtOf } from '#coupon/issuance.ts';
import { learn } from '../../model/gate/prelude.ts';
import * as model from '../../model/gate/scripts.ts';
import type { RealGate } from './real-gate.ts';

const coupon = 0;

/** That the gate is what the model says, key by key, and shows it. */
export async function expectAgreement(real: RealGate): Promise<void> {
  const { here, couponId } = real;
  const [read, inspected, listed] = await Promise.all([
    real.read(),
    here.gate.inspect(couponId),
    here.gate.listPending(couponId, 0, 500),
  ]);
  expect(sorted(read)).toEqual(sorted(real.gate));

  const { oldestPending: oldest, ...rest } = model.inspect(real.model, coupon);
  if (rest.gate === 'open') {
    // What a look shows is known from then on, to the real gate as well.
    learn(real.model, coupon, rest);
  }
  const oldestPendingAt = oldest === 0 ? null : reservedAtOf(real.issuanceId(oldest));
  expect(inspected).toMatchObject({ ...rest, oldestPendingAt });

  const list = model.listPending(real.model, coupon);
  const rows = (list?.pending ?? []).map(({ id, user: userId }) => {
    const issuanceId = real.issuanceId(id);
    const reservedAt = reservedAtOf(issuanceId);
    return { issuanceId, reservedAt, userId, couponId, epoch: list!.epoch, kafkaPartition: 0 };
  });
  expect(listed.toSorted(byId)).toEqual(rows.toSorted(byId));
  const times = listed.map(({ reservedAt }) => reservedAt);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
}

function byId(a: { issuanceId: string }, b: { issuanceId: string }): number {
  return a.issuanceId < b.issuanceId ? -1 : 1;
}

function sorted({ meta, pending, ...byUser }: RealGate['gate']): RealGate['gate'] {
  const inOrder = (list: typeof byUser.holders) => list.toSorted((a, b) => a.id - b.id);
  return {
    meta,
    holders: inOrder(byUser.holders),
    pending: pending.toSorted((a, b) => a - b),
    pendingUsers: inOrder(byUser.pendingUsers),
  };
}

/** What must hold as long as no other hand touches the keys. The model is what the gate is. */
export function expectInvariants(real: RealGate): void {
  const { meta, holders, pending, pendingUsers } = real.gate;
  if (meta?.epoch === undefined) {
    // Archived, or claimed and not open yet.
    return;
  }
  const held = holders.map(({ id }) => id);
  expect(meta.left! + held.length).toBe(meta.total);
  expect(meta.left).toBeGreaterThanOrEqual(0);
  expect(new Set(held).size).toBe(held.length);
  expect(held).toEqual(expect.arrayContaining(pending));
  expect(pendingUsers.map(({ id }) => id)).toEqual(pending);
  if (model.isOpen(real.model, coupon)) {
    // What was confirmed is never lost, whatever recovery came between.
    const confirmed = [...real.ledger].map(([user, id]) => ({ user, id }));
    expect(holders).toEqual(expect.arrayContaining(confirmed));
  }
}
