import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { anIssuanceId, userIds } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { reservedAtOf } from '#coupon/issuance.ts';

const here = new TestGate();
const { gate } = here;
const minuteMs = 60_000;

beforeAll(() => here.start());
afterAll(() => here.close());

function kinds(outcomes: { kind: string }[]): string[] {
  return outcomes.map(({ kind }) => kind);
}

describe('reserve', () => {
  test('gives each user one unit and takes as many from the stock', async () => {
    const { id } = await here.openCoupon({ total: 5, kafkaPartition: 3, epoch: 7 });
    const result = await gate.reserve(id, userIds(3));
    expect(result).toMatchObject({ gate: 'open', epoch: 7, kafkaPartition: 3, opensAt: null });
    const outcomes = result.gate === 'open' ? result.outcomes : [];
    expect(kinds(outcomes)).toEqual(['reserved', 'reserved', 'reserved']);
    expect(await gate.inspect(id)).toMatchObject({ left: 2, holders: 3, total: 5, pending: 3 });
  });

  test('never gives one user two units: a repeat gets the same id, and whether it is pending', async () => {
    const { id } = await here.openCoupon();
    const issuanceId = await here.take(id, 'ann');
    expect(await here.outcomes(id, 'ann')).toEqual([
      { kind: 'replayed', issuanceId, pending: true },
    ]);
    await gate.confirm(id, 1, [{ userId: 'ann', issuanceId }]);
    expect(await here.outcomes(id, 'ann')).toEqual([
      { kind: 'replayed', issuanceId, pending: false },
    ]);
    expect(await gate.inspect(id)).toMatchObject({ left: 9, holders: 1 });
  });

  test('never gives one user two units: not even twice in one batch', async () => {
    const { id } = await here.openCoupon();
    const [first, other, again] = await here.outcomes(id, 'ann', 'bob', 'ann');
    expect(kinds([first!, other!])).toEqual(['reserved', 'reserved']);
    expect(again).toEqual({ ...first, kind: 'replayed', pending: true });
    expect(await gate.inspect(id)).toMatchObject({ left: 8, holders: 2, pending: 2 });
  });

  test('never gives one user two units: not to two callers at the same time', async () => {
    const { id } = await here.openCoupon();
    const calls = await Promise.all(userIds(20).map(() => here.outcomes(id, 'ann')));
    const ids = calls.flat().map((outcome) => 'issuanceId' in outcome && outcome.issuanceId);
    expect(new Set(ids).size).toBe(1);
    expect(kinds(calls.flat()).filter((kind) => kind === 'reserved')).toHaveLength(1);
  });

  test('never reserves more than there is: the last unit goes to who stands first', async () => {
    const { id } = await here.openCoupon({ total: 2 });
    const outcomes = await here.outcomes(id, 'ann', 'bob', 'eve');
    expect(kinds(outcomes)).toEqual(['reserved', 'reserved', 'sold_out']);
    expect(kinds(await here.outcomes(id, 'eve', 'ann'))).toEqual(['sold_out', 'replayed']);
    expect(await gate.inspect(id)).toMatchObject({ left: 0, holders: 2 });
  });

  test('takes a batch of 500', async () => {
    const { id } = await here.openCoupon({ total: 400 });
    const outcomes = kinds(await here.outcomes(id, ...userIds(500)));
    expect(outcomes.slice(0, 400)).toEqual(Array(400).fill('reserved'));
    expect(outcomes.slice(400)).toEqual(Array(100).fill('sold_out'));
  });

  test('takes no batch of more, as no other call does', async () => {
    const { id } = await here.openCoupon();
    const [users, ids] = [userIds(501), userIds(501).map(() => anIssuanceId())];
    const holders = users.map((userId, i) => ({ userId, issuanceId: ids[i]! }));
    for (const call of [
      () => gate.reserve(id, users),
      () => gate.confirm(id, 1, holders),
      () => gate.release(id, 1, holders),
      () => gate.stage(id, 'token', holders),
      () => gate.pendingAmong(id, ids),
      () => gate.heldBy(id, users),
    ]) {
      await expect(call()).rejects.toThrow('501 in a batch, at most 500 may be');
    }
    expect(await gate.inspect(id)).toMatchObject({ holders: 0, pending: 0 });
  });

  test('takes users for different whose ids differ by case, accent, emoji or a blank', async () => {
    const names = ['User1', 'user1', 'user1 ', 'é', 'e\u0301', 'e', '🎟', '🎉'];
    const { id } = await here.openCoupon();
    expect(new Set(kinds(await here.outcomes(id, ...names)))).toEqual(new Set(['reserved']));
    expect(await gate.heldBy(id, names)).not.toContain(null);
  });

  test('makes ids that are UUIDv7 of the time of Redis, whatever the clock here says', async () => {
    const { id } = await here.openCoupon();
    const before = await gate.now();
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    const issuanceId = await here.take(id, 'ann').finally(() => vi.useRealTimers());
    expect(issuanceId).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(reservedAtOf(issuanceId)).toBeGreaterThanOrEqual(before);
    expect(reservedAtOf(issuanceId)).toBeLessThanOrEqual(await gate.now());
  });

  test('tells of a coupon that has no gate', async () => {
    expect(await gate.reserve(here.newCoupon().id, ['ann'])).toEqual({ gate: 'absent' });
  });

  test('closes the gate for everybody when left + held is not the total', async () => {
    const { id } = await here.openCoupon();
    await here.take(id, 'ann');
    await here.raw.hincrby(here.keys(id).meta, 'left', 1);
    expect(await gate.reserve(id, ['bob'])).toEqual({ gate: 'fenced' });
    await here.raw.hincrby(here.keys(id).meta, 'left', -1);
    expect(await gate.reserve(id, ['ann'])).toEqual({ gate: 'fenced' });
    expect((await gate.inspect(id)).gate).toBe('fenced');
  });

  test.each(['holders', 'pending', 'pendingUsers'] as const)(
    'closes the gate for everybody when the key of its %s was lost',
    async (name) => {
      const { id } = await here.openCoupon();
      await here.take(id, 'ann');
      await here.raw.unlink(here.keys(id)[name]);
      expect((await gate.inspect(id)).gate).toBe('fenced');
      expect(await gate.listPending(id, 0, 10)).toEqual([]);
      expect(await gate.reserve(id, ['ann'])).toEqual({ gate: 'fenced' });
    },
  );
});

describe('a coupon that does not sell', () => {
  test('is not open before its time, says when it is, and opens by the clock of Redis', async () => {
    const opensAt = (await gate.now()) + 5_000;
    const { id } = await here.openCoupon({ opensAt });
    const early = await gate.reserve(id, ['ann']);
    expect(early).toMatchObject({ opensAt, outcomes: [{ kind: 'not_open' }] });
    const isOpen = async (): Promise<void> =>
      expect(kinds(await here.outcomes(id, 'bob'))).toEqual(['reserved']);
    await vi.waitFor(isOpen, { timeout: 20_000 });
    const [bobsId] = await gate.heldBy(id, ['bob']);
    expect(reservedAtOf(bobsId!)).toBeGreaterThanOrEqual(opensAt);
  });

  test.each([
    ['paused', { state: 'paused' as const }],
    ['closed', { state: 'closed' as const }],
    ['closed', { closesAt: Date.now() - minuteMs }],
    ['not_open', { opensAt: Date.now() + minuteMs, state: 'paused' as const }],
    ['closed', { opensAt: Date.now() + minuteMs, state: 'closed' as const }],
    ['sold_out', { total: 1 }],
  ])('answers %s to the new, and a holder gets its id: %j', async (kind, given) => {
    const held = anIssuanceId();
    const { id } = await here.openCoupon(given, [{ userId: 'ann', issuanceId: held }]);
    expect(await here.outcomes(id, 'bob', 'ann')).toEqual([
      { kind },
      { kind: 'replayed', issuanceId: held, pending: false },
    ]);
    expect(await gate.inspect(id)).toMatchObject({ holders: 1, pending: 0 });
  });

  test('still honours what was reserved before it was paused', async () => {
    const coupon = await here.openCoupon();
    const issuanceId = await here.take(coupon.id, 'ann');
    await gate.applyCoupon({ ...coupon, state: 'paused', version: 2 });
    expect(await here.outcomes(coupon.id, 'ann')).toEqual([
      { kind: 'replayed', issuanceId, pending: true },
    ]);
    expect(await gate.confirm(coupon.id, 1, [{ userId: 'ann', issuanceId }])).toBe(true);
  });
});

describe('holders', () => {
  test('are all found by a scan, each with its id', async () => {
    const { id } = await here.openCoupon({ total: 3_000 });
    const expected = new Map<string, string>();
    for (let batch = 0; batch < 5; batch += 1) {
      const names = userIds(500, `batch ${batch}`);
      (await here.outcomes(id, ...names)).forEach((outcome, i) => {
        expected.set(names[i]!, outcome.kind === 'reserved' ? outcome.issuanceId : outcome.kind);
      });
    }
    const found = new Map<string, string>();
    for await (const slice of gate.holders(id)) {
      slice.forEach(({ userId, issuanceId }) => found.set(userId, issuanceId));
    }
    expect(found).toEqual(expected);
  });

  test('of a coupon without a gate are none', async () => {
    const { id } = here.newCoupon();
    for await (const slice of gate.holders(id)) {
      expect(slice).toEqual([]);
    }
    expect(await gate.heldBy(id, ['ann', 'bob'])).toEqual([null, null]);
  });

  test('are told one by one, in the order asked', async () => {
    const { id } = await here.openCoupon();
    const issuanceId = await here.take(id, 'ann');
    expect(await gate.heldBy(id, ['bob', 'ann'])).toEqual([null, issuanceId]);
  });
});
