import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { anIssuanceId, userIds } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import type { Coupon } from '#coupon/coupon.ts';

const here = new TestGate();
const { gate } = here;

beforeAll(() => here.start());
afterAll(() => here.close());

/** A coupon in epoch 2 and the id that ann has reserved of it. */
async function annReserved(): Promise<{ coupon: Coupon; id: number; issuanceId: string }> {
  const coupon = await here.openCoupon({ epoch: 2 });
  return { coupon, id: coupon.id, issuanceId: await here.take(coupon.id, 'ann') };
}

describe('confirm', () => {
  test('settles what it is given, and nothing else', async () => {
    const { id, issuanceId } = await annReserved();
    const bobsId = await here.take(id, 'bob');
    expect(await gate.confirm(id, 2, [{ userId: 'ann', issuanceId }])).toBe(true);
    expect((await gate.listPending(id, 0, 10)).map((one) => one.issuanceId)).toEqual([bobsId]);
  });

  test('may be run again', async () => {
    const { id, issuanceId } = await annReserved();
    for (let i = 0; i < 2; i += 1) {
      expect(await gate.confirm(id, 2, [{ userId: 'ann', issuanceId }])).toBe(true);
    }
    expect(await gate.inspect(id)).toMatchObject({ pending: 0, holders: 1, left: 9 });
  });

  test('promises nothing for an id that its user does not hold', async () => {
    const { id, issuanceId } = await annReserved();
    const unknown = { userId: 'bob', issuanceId: anIssuanceId() };
    expect(await gate.confirm(id, 2, [{ userId: 'ann', issuanceId }, unknown])).toBe(false);
    // What was pending beside it is in the log all the same.
    expect(await gate.confirm(id, 2, [{ userId: 'ann', issuanceId }])).toBe(true);
    await gate.release(id, 2, [{ userId: 'ann', issuanceId }]);
    expect(await gate.confirm(id, 2, [{ userId: 'ann', issuanceId }])).toBe(false);
  });

  test('promises nothing for another epoch than the one that is open', async () => {
    const { id, issuanceId } = await annReserved();
    expect(await gate.confirm(id, 1, [{ userId: 'ann', issuanceId }])).toBe(false);
    expect(await gate.confirm(id, 3, [{ userId: 'ann', issuanceId }])).toBe(false);
    expect((await gate.inspect(id)).pending).toBe(1);
  });

  test('promises nothing once a recovery has begun', async () => {
    const { id, issuanceId } = await annReserved();
    await gate.fence(id, 3);
    expect(await gate.confirm(id, 2, [{ userId: 'ann', issuanceId }])).toBe(false);
    expect((await gate.inspect(id)).pending).toBe(1);
  });

  test('promises nothing on another run of Redis than the gate was opened on', async () => {
    const { id, issuanceId } = await annReserved();
    await here.breakRunId(id);
    expect(await gate.confirm(id, 2, [{ userId: 'ann', issuanceId }])).toBe(false);
  });

  test('promises nothing when the gate is gone', async () => {
    const { id, issuanceId } = await annReserved();
    await here.raw.unlink(here.keys(id).meta);
    expect(await gate.confirm(id, 2, [{ userId: 'ann', issuanceId }])).toBe(false);
  });
});

describe('release', () => {
  test('gives a refused unit back, pending or confirmed, and only once', async () => {
    const { id, issuanceId } = await annReserved();
    const bobsId = await here.take(id, 'bob');
    await gate.confirm(id, 2, [{ userId: 'bob', issuanceId: bobsId }]);
    const refused = [
      { userId: 'ann', issuanceId },
      { userId: 'bob', issuanceId: bobsId },
    ];
    expect(await gate.release(id, 2, refused)).toBe(2);
    expect(await gate.release(id, 2, refused)).toBe(0);
    expect(await gate.inspect(id)).toMatchObject({ left: 10, holders: 0, pending: 0 });
    expect(await here.raw.exists(here.keys(id).pendingUsers)).toBe(0);
  });

  test('gives nothing back of an id that the user does not hold', async () => {
    const { id, issuanceId } = await annReserved();
    const wrong = [
      { userId: 'ann', issuanceId: anIssuanceId() },
      { userId: 'bob', issuanceId },
    ];
    expect(await gate.release(id, 2, wrong)).toBe(0);
    expect(await gate.inspect(id)).toMatchObject({ left: 9, holders: 1, pending: 1 });
  });

  test('gives nothing back in another epoch', async () => {
    const { id, issuanceId } = await annReserved();
    expect(await gate.release(id, 1, [{ userId: 'ann', issuanceId }])).toBe(0);
    expect(await gate.release(id, 3, [{ userId: 'ann', issuanceId }])).toBe(0);
    expect(await gate.heldBy(id, ['ann'])).toEqual([issuanceId]);
  });

  test('run late takes nothing from who was admitted anew meanwhile', async () => {
    const { id, issuanceId } = await annReserved();
    await gate.release(id, 2, [{ userId: 'ann', issuanceId }]);
    const newId = await here.take(id, 'ann');
    expect(newId).not.toBe(issuanceId);
    expect(await gate.release(id, 2, [{ userId: 'ann', issuanceId }])).toBe(0);
    expect(await gate.heldBy(id, ['ann'])).toEqual([newId]);
  });
});

describe('listPending', () => {
  test('hands on all that the log needs, oldest first, at most as many as asked', async () => {
    const coupon = await here.openCoupon({ epoch: 4, kafkaPartition: 5 });
    const ids: string[] = [];
    for (const userId of ['ann', 'bob', 'eve']) {
      const before = await gate.now();
      await vi.waitFor(async () => expect(await gate.now()).toBeGreaterThan(before), 15_000);
      ids.push(await here.take(coupon.id, userId));
    }
    const pending = await gate.listPending(coupon.id, 0, 2);
    expect(pending.map(({ issuanceId }) => issuanceId)).toEqual(ids.slice(0, 2));
    expect(pending[0]).toEqual({
      issuanceId: ids[0],
      userId: 'ann',
      couponId: coupon.id,
      epoch: 4,
      kafkaPartition: 5,
      reservedAt: (await gate.inspect(coupon.id)).oldestPendingAt,
    });
  });

  test('leaves out what is younger than asked', async () => {
    const { id } = await annReserved();
    expect(await gate.listPending(id, 60_000, 10)).toEqual([]);
    await vi.waitFor(
      async () => expect(await gate.listPending(id, 100, 10)).toHaveLength(1),
      15_000,
    );
  });

  test('lists nothing of an epoch that is over, nor of a gate that is not there', async () => {
    const { id } = await annReserved();
    await gate.fence(id, 3);
    expect(await gate.listPending(id, 0, 10)).toEqual([]);
    expect(await gate.listPending(here.newCoupon().id, 0, 10)).toEqual([]);
  });
});

describe('a traceparent', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  /** Ann has come with one, bob without; both are pending. */
  async function annAndBobReserved(): Promise<{ coupon: Coupon; ids: string[] }> {
    const coupon = await here.openCoupon({ epoch: 2 });
    await gate.reserve(coupon.id, ['ann', 'bob'], [traceparent, undefined]);
    return { coupon, ids: (await gate.heldBy(coupon.id, ['ann', 'bob'])) as string[] };
  }

  const keptOf = ({ id }: Coupon): Promise<Record<string, string>> =>
    here.raw.hgetall(here.keys(id).pendingTraceparents);

  test('is kept for the relay with what is pending, of those who have sent one', async () => {
    const { coupon, ids } = await annAndBobReserved();
    const pending = await gate.listPending(coupon.id, 0, 10);
    const traceOf = new Map(pending.map((one) => [one.issuanceId, one.traceparent]));
    expect(ids.map((id) => traceOf.get(id))).toEqual([traceparent, undefined]);
    expect(await keptOf(coupon)).toEqual({ [ids[0]!]: traceparent });
  });

  test('stays the one that the unit was reserved with', async () => {
    const { coupon, ids } = await annAndBobReserved();
    const others = [traceparent.replace('0af', '0bf'), traceparent];
    await gate.reserve(coupon.id, ['ann', 'bob'], others);
    expect(await keptOf(coupon)).toEqual({ [ids[0]!]: traceparent });
  });

  test('goes when the unit is confirmed, however often that is run', async () => {
    const { coupon, ids } = await annAndBobReserved();
    await gate.confirm(coupon.id, 2, [{ userId: 'bob', issuanceId: ids[1]! }]);
    expect(await keptOf(coupon)).toEqual({ [ids[0]!]: traceparent });
    const reserved = ['ann', 'bob'].map((userId, i) => ({ userId, issuanceId: ids[i]! }));
    await gate.confirm(coupon.id, 2, reserved);
    await gate.confirm(coupon.id, 2, reserved);
    expect(await keptOf(coupon)).toEqual({});
  });

  test('goes when the unit is given back', async () => {
    const { coupon, ids } = await annAndBobReserved();
    await gate.release(coupon.id, 2, [{ userId: 'ann', issuanceId: ids[0]! }]);
    expect(await keptOf(coupon)).toEqual({});
  });

  test('goes when a recovery opens the gate anew', async () => {
    const { coupon } = await annAndBobReserved();
    await gate.fence(coupon.id, 3);
    expect(await here.rebuild({ ...coupon, epoch: 3 }, [])).toBe(true);
    expect(await keptOf(coupon)).toEqual({});
  });

  test('that was lost closes no gate', async () => {
    const { coupon } = await annAndBobReserved();
    await here.raw.unlink(here.keys(coupon.id).pendingTraceparents);
    expect((await gate.inspect(coupon.id)).gate).toBe('open');
    expect(await gate.listPending(coupon.id, 0, 10)).toHaveLength(2);
  });
});

describe('inspect', () => {
  test('tells of stock, version, epochs and what is pending, and changes nothing', async () => {
    const coupon = await here.openCoupon({ total: 20, version: 3, epoch: 2 });
    await here.outcomes(coupon.id, ...userIds(4));
    const before = await gate.now();
    const seen = await gate.inspect(coupon.id);
    expect(seen).toMatchObject({
      gate: 'open',
      left: 16,
      holders: 4,
      total: 20,
      version: 3,
      epoch: 2,
      minEpoch: 2,
      pending: 4,
    });
    expect(seen.oldestPendingAt).toBeLessThanOrEqual(before);
    expect(seen.now).toBeGreaterThanOrEqual(before);
    expect(await gate.inspect(coupon.id)).toEqual({ ...seen, now: expect.any(Number) });
  });

  test('calls a gate absent that nobody made, and fenced when only a recovery has begun', async () => {
    const { id } = here.newCoupon();
    expect(await gate.inspect(id)).toMatchObject({ gate: 'absent', oldestPendingAt: null });
    await gate.fence(id, 5);
    expect(await gate.inspect(id)).toMatchObject({ gate: 'fenced', minEpoch: 5, epoch: 0 });
  });

  test('calls a gate fenced whose numbers do not add up', async () => {
    const { id } = await annReserved();
    await here.raw.hincrby(here.keys(id).meta, 'left', -1);
    expect((await gate.inspect(id)).gate).toBe('fenced');
  });
});
