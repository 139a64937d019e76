import { expect } from 'vitest';
import { reservedAtOf } from '#coupon/issuance.ts';
import { answerOf } from '../model/gate/prelude.ts';
import * as model from '../model/gate/scripts.ts';
import type { RealGate } from './real-gate.ts';

const coupon = 0;

/** What a script answers; nothing where it breaks off, like `answerOf` of the model. */
export async function replyOf<Reply>(reply: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await reply;
  } catch (error) {
    expect((error as Error).name).toBe('ReplyError');
    return undefined;
  }
}

/** That the gate is what the model says, key by key, and shows it. */
export async function expectAgreement(real: RealGate): Promise<void> {
  const { here, couponId } = real;
  const [read, inspected, listed] = await Promise.all([
    real.read(),
    replyOf(here.gate.inspect(couponId)),
    replyOf(here.gate.listPending(couponId, 0, 500)),
  ]);
  expect(sorted(read)).toEqual(sorted(real.gate));

  const expected = answerOf(() => model.inspect(real.model, coupon));
  if (inspected === undefined || expected === undefined) {
    expect(inspected).toEqual(expected);
  } else {
    const { oldestPending: oldest, ...rest } = expected;
    const oldestPendingAt = oldest === 0 ? null : reservedAtOf(real.issuanceId(oldest));
    expect(inspected).toMatchObject({ ...rest, oldestPendingAt });
  }

  const list = answerOf(() => ({ reply: model.listPending(real.model, coupon) }));
  const rows = list?.reply?.pending.map(({ id, user: userId }) => {
    const issuanceId = real.issuanceId(id);
    const reservedAt = reservedAtOf(issuanceId);
    const epoch = list.reply!.epoch;
    return { issuanceId, reservedAt, userId, couponId, epoch, kafkaPartition: 0 };
  });
  expect(listed?.toSorted(byId)).toEqual(list && (rows ?? []).toSorted(byId));
  const times = listed?.map(({ reservedAt }) => reservedAt);
  expect(times).toEqual(times?.toSorted((a, b) => a - b));
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
    staging: inOrder(byUser.staging),
  };
}

/** What must hold as long as no other hand touches the keys. The model is what the gate is. */
export function expectInvariants(real: RealGate): void {
  const { meta, holders, pending, pendingUsers } = real.gate;
  const held = holders.map(({ id }) => id);
  expect(meta!.left! + held.length).toBe(meta!.total);
  expect(meta!.left).toBeGreaterThanOrEqual(0);
  expect(new Set(held).size).toBe(held.length);
  expect(held).toEqual(expect.arrayContaining(pending));
  expect(pendingUsers.map(({ id }) => id)).toEqual(pending);
  if (model.isOpen(real.model, coupon)) {
    // What was confirmed is never lost, whatever recovery came between.
    const confirmed = [...real.ledger].map(([user, id]) => ({ user, id }));
    expect(holders).toEqual(expect.arrayContaining(confirmed));
  }
}
