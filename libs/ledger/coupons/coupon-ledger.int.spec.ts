import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { aRequest, userIds } from '../../../test/harness/fixtures.ts';
import { untilOneWaitsForALock } from '../../../test/harness/stores/lock-wait.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';

const here = new TestLedger();
const { coupons } = here;

beforeAll(() => here.start());
afterAll(() => here.close());

async function history(couponId: number): Promise<Record<string, unknown>[]> {
  return here.query(
    'SELECT version, action, total, state FROM coupon_change WHERE coupon_id = ? ORDER BY version',
    [couponId],
  );
}

/** What the gates of these coupons are said to have seen. */
function raise(epochsAtGate: Map<number, number>): Promise<Map<number, number>> {
  return coupons.raiseEpochs([...epochsAtGate.keys()], async () => epochsAtGate);
}

describe('create', () => {
  test('keeps a coupon as it was given, times to the millisecond, in its first epoch', async () => {
    const given = {
      name: 'Größter Rabatt 🎟',
      total: 2_147_483_647,
      kafkaPartition: 7,
      opensAt: 1_764_000_000_123,
      closesAt: 8_640_000_000_000_000,
    };
    const created = await here.createCoupon(given);
    const first = { issued: 0, version: 1, state: 'open', epoch: 1, appliedEpoch: 1 };
    expect(created).toMatchObject({ ...given, ...first });
    expect(await coupons.find(created.id)).toEqual({ ...created, ...given, ...first });
    expect((await coupons.list()).map(({ id }) => id)).toContain(created.id);
  });

  test('leaves out limits in time that there are not', async () => {
    const { id } = await here.createCoupon();
    expect(await coupons.find(id)).toMatchObject({ opensAt: null, closesAt: null });
  });

  test('takes the id it is asked to take, once', async () => {
    expect((await here.createCoupon({ id: 4_711, name: 'first' })).id).toBe(4_711);
    await expect(here.createCoupon({ id: 4_711, name: 'second' })).rejects.toMatchObject({
      driverError: { code: 'ER_DUP_ENTRY' },
    });
    expect((await coupons.find(4_711))?.name).toBe('first');
    expect(await history(4_711)).toHaveLength(1);
  });
});

test('there is no coupon that nobody made', async () => {
  expect(await coupons.find(999_999)).toBeNull();
});

describe('change', () => {
  test('changes what it is given, and writes down how it was after it', async () => {
    const { id } = await here.createCoupon();
    const paused = { action: 'pause' as const, state: 'paused' as const, asRead: 1, version: 2 };
    const raised = { action: 'set-total' as const, total: 12, asRead: 2, version: 5 };
    expect(await coupons.change(id, paused)).toBe(true);
    expect(await coupons.change(id, raised)).toBe(true);
    expect(await coupons.find(id)).toMatchObject({ state: 'paused', total: 12, version: 5 });
    expect(await history(id)).toEqual([
      { version: 1, action: 'create', total: 10, state: 'open' },
      { version: 2, action: 'pause', total: 10, state: 'paused' },
      { version: 5, action: 'set-total', total: 12, state: 'paused' },
    ]);
  });

  test('writes down name and times, too', async () => {
    const { id } = await here.createCoupon({ name: 'first', opensAt: 5, closesAt: 9 });
    const times = { opensAt: null, closesAt: 12 };
    await coupons.change(id, { action: 'set-times', ...times, asRead: 1, version: 2 });
    await coupons.change(id, { action: 'rename', name: 'second', asRead: 2, version: 3 });
    expect(await coupons.find(id)).toMatchObject({ ...times, name: 'second', total: 10 });
    const rows = await here.query(
      'SELECT action, name, opens_at, closes_at FROM coupon_change WHERE coupon_id = ? ORDER BY version',
      [id],
    );
    expect(rows).toEqual([
      { action: 'create', name: 'first', opens_at: 5, closes_at: 9 },
      { action: 'set-times', name: 'first', opens_at: null, closes_at: 12 },
      { action: 'rename', name: 'second', opens_at: null, closes_at: 12 },
    ]);
    const created = { total: 10, name: 'first', opensAt: 5, closesAt: 9 };
    expect(await coupons.findCreation(id)).toMatchObject(created);
  });

  test('is not made when the coupon is no longer as it was read', async () => {
    const { id } = await here.createCoupon();
    await coupons.change(id, { action: 'close', state: 'closed', asRead: 1, version: 3 });
    for (const version of [2, 3, 4]) {
      const late = { action: 'resume' as const, state: 'open' as const, asRead: 1, version };
      expect(await coupons.change(id, late)).toBe(false);
    }
    expect(await coupons.find(id)).toMatchObject({ state: 'closed', version: 3 });
    expect(await history(id)).toHaveLength(2);
  });

  test('of one version is made by one of those who try at the same time', async () => {
    const { id } = await here.createCoupon();
    const made = await Promise.all(
      [11, 12, 13, 14].map((total) =>
        coupons.change(id, { action: 'set-total', total, asRead: 1, version: 2 }),
      ),
    );
    expect(made.filter(Boolean)).toHaveLength(1);
    expect((await coupons.find(id))?.total).toBe(11 + made.indexOf(true));
  });

  test('is not made when a recovery has begun since', async () => {
    const { id } = await here.createCoupon();
    await raise(new Map([[id, 1]]));
    const change = { action: 'set-total' as const, total: 5, asRead: 1, version: 2 };
    expect(await coupons.change(id, { ...change, inEpoch: 1 })).toBe(false);
    expect((await coupons.find(id))?.total).toBe(10);
    expect(await coupons.change(id, { ...change, inEpoch: 2 })).toBe(true);
  });

  test('of a coupon that does not exist is not made', async () => {
    const change = { action: 'pause' as const, state: 'paused' as const, asRead: 1, version: 2 };
    expect(await coupons.change(999_999, change)).toBe(false);
  });

  test('never allows less than what is issued, and then changes nothing', async () => {
    const { id } = await here.createCoupon();
    const requests = userIds(3).map((userId) => aRequest({ couponId: id, userId }));
    await here.issuances.decideChunk(requests);
    const change = { action: 'set-total' as const, asRead: 1, version: 2 };
    await expect(coupons.change(id, { ...change, total: 2 })).rejects.toThrow(
      'issued_within_total',
    );
    expect(await coupons.find(id)).toMatchObject({ total: 10, version: 1, issued: 3 });
    expect(await history(id)).toHaveLength(1);
    expect(await coupons.change(id, { ...change, total: 3 })).toBe(true);
  });
});

describe('takeVersion', () => {
  test('takes a version of the coupon as it was read, and changes nothing else', async () => {
    const coupon = await here.createCoupon();
    expect(await coupons.takeVersion(coupon, 3)).toBe(true);
    expect(await coupons.find(coupon.id)).toEqual({ ...coupon, version: 3 });
    expect(await coupons.takeVersion(coupon, 4)).toBe(false);
    expect(await history(coupon.id)).toHaveLength(1);
  });

  test('keeps the version for one change, unless another has come since', async () => {
    const coupon = await here.createCoupon();
    const change = { action: 'set-total' as const, total: 5, asRead: 2, version: 2 };
    expect(await coupons.change(coupon.id, change)).toBe(false);
    await coupons.takeVersion(coupon, 2);
    expect(await coupons.change(coupon.id, { ...change, asRead: 1 })).toBe(false);
    expect(await coupons.change(coupon.id, change)).toBe(true);
    await coupons.change(coupon.id, { action: 'pause', state: 'paused', asRead: 2, version: 3 });
    expect(await coupons.change(coupon.id, change)).toBe(false);
  });

  test('is given to one of those who want it at the same time', async () => {
    const coupon = await here.createCoupon();
    const taken = await Promise.all([1, 2, 3].map(() => coupons.takeVersion(coupon, 2)));
    expect(taken.filter(Boolean)).toHaveLength(1);
  });
});

describe('raiseEpochs', () => {
  test('raises each coupon above its own epoch and above that of its gate', async () => {
    const [one, two] = [await here.createCoupon(), await here.createCoupon()];
    const raised = await raise(
      new Map([
        [two.id, 6],
        [one.id, 0],
      ]),
    );
    expect(raised).toEqual(
      new Map([
        [one.id, 2],
        [two.id, 7],
      ]),
    );
    expect(await coupons.find(one.id)).toMatchObject({ epoch: 2, appliedEpoch: 1, version: 1 });
    expect(await coupons.find(two.id)).toMatchObject({ epoch: 7, appliedEpoch: 1, version: 1 });
  });

  test('gives each of those who raise at once an epoch of its own', async () => {
    const { id } = await here.createCoupon();
    const other = await here.createCoupon();
    const wanted = [
      new Map([
        [id, 0],
        [other.id, 0],
      ]),
      new Map([
        [other.id, 0],
        [id, 0],
      ]),
      new Map([[id, 0]]),
    ];
    const raised = await Promise.all(wanted.map(raise));
    expect(new Set(raised.map((epochs) => epochs.get(id)))).toEqual(new Set([2, 3, 4]));
  });

  test('leaves those alone that the gates do not name', async () => {
    const [one, two] = [await here.createCoupon(), await here.createCoupon()];
    const raised = await coupons.raiseEpochs([one.id, two.id], async () => new Map([[two.id, 1]]));
    expect(raised).toEqual(new Map([[two.id, 2]]));
    expect((await coupons.find(one.id))?.epoch).toBe(1);
  });

  test('leaves out a coupon that is not there', async () => {
    expect(await raise(new Map([[999_999, 1]]))).toEqual(new Map());
  });
});

describe('beforeRecovery', () => {
  test('does its work and says how that went, while whoever recovers the coupon waits', async () => {
    const coupon = await here.createCoupon();
    const steps: string[] = [];
    let raising: Promise<unknown> | undefined;
    const opened = await coupons.beforeRecovery(coupon, async () => {
      raising = coupons.raiseEpochs([coupon.id], async () => {
        steps.push('gate looked at');
        return new Map();
      });
      await untilOneWaitsForALock(here);
      steps.push('opened');
      return true;
    });
    await raising;
    expect(opened).toBe(true);
    expect(steps).toEqual(['opened', 'gate looked at']);
    expect(await coupons.beforeRecovery(coupon, async () => false)).toBe(false);
  });

  test('does nothing once a recovery has begun', async () => {
    const coupon = await here.createCoupon();
    await raise(new Map([[coupon.id, 1]]));
    const work = vi.fn(async () => true);
    expect(await coupons.beforeRecovery(coupon, work)).toBe(false);
    expect(work).not.toHaveBeenCalled();
  });
});

test('knows whether anything that was read from a partition had an effect', async () => {
  const { id } = await here.createCoupon({ kafkaPartition: 41 });
  expect(await here.coupons.anyDecidedFrom(41)).toBe(false);
  await here.issuances.decideChunk([aRequest({ couponId: id })]);
  expect(await here.coupons.anyDecidedFrom(41)).toBe(true);

  const marked = await here.createCoupon({ kafkaPartition: 42 });
  await here.issuances.applyMarker({ epochs: [{ couponId: marked.id, epoch: 2 }] });
  expect(await here.coupons.anyDecidedFrom(42)).toBe(true);
  expect(await here.coupons.anyDecidedFrom(43)).toBe(false);
});
