import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anIssuanceId } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/test-gate.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { Gate } from './gate.ts';
import type { GateKeys } from './keys.ts';

/* What another hand may do to the keys of a gate in a Redis that lives on. */

const here = new TestGate();
const { gate, raw } = here;

beforeAll(() => here.start());
afterAll(() => here.close());

const bob = { userId: 'bob', issuanceId: anIssuanceId() };

/** Bob holds a unit for good, and what ann has reserved is pending. */
async function openGate(): Promise<{ coupon: Coupon; ann: typeof bob }> {
  const coupon = await here.openCoupon({ total: 4 }, [bob]);
  return { coupon, ann: { userId: 'ann', issuanceId: await here.take(coupon.id, 'ann') } };
}

/** Every script answers, and nothing is admitted, settled, given back, changed or handed on. */
async function expectShut(coupon: Coupon, ann: typeof bob, by = gate): Promise<void> {
  const { id } = coupon;
  expect((await by.inspect(id)).gate).not.toBe('open');
  expect(await by.listPending(id, 0, 10)).toEqual([]);
  expect(await by.confirm(id, 1, [ann])).toBe(false);
  expect(await by.release(id, 1, [bob])).toBe(0);
  expect(await by.applyCoupon({ ...coupon, version: 9, total: 9 })).toEqual({ kind: 'fenced' });
  expect((await by.reserve(id, ['ann', 'bob', 'eve'])).gate).not.toBe('open');
}

/** The steps of a recovery in epoch 2, which has found both in MySQL. */
async function expectRecovered(coupon: Coupon, ann: typeof bob): Promise<void> {
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

const puts: Record<string, (key: string) => Promise<unknown>> = {
  nothing: () => Promise.resolve(),
  'a string': (key) => raw.set(key, 'foreign'),
  'a list': (key) => raw.rpush(key, 'foreign'),
  'a set': (key) => raw.sadd(key, 'foreign'),
  'a stream': (key) => raw.xadd(key, '*', 'foreign', '1'),
  'a hash of something else': (key) => raw.hset(key, 'foreign', '1', 'field', '2', 'more', '3'),
  'a sorted set of something else': (key) => raw.zadd(key, 'inf', 'foreign', '-inf', 'member'),
};

const keyNames = ['meta', 'holders', 'pending', 'pendingUsers', 'pendingTraceparents'] as const;
/** It is counted nowhere: without its traces a gate is whole. */
const harmless: [keyof GateKeys, string][] = [
  ['pendingTraceparents', 'nothing'],
  ['pendingTraceparents', 'a hash of something else'],
];
const keysAndPuts = keyNames.flatMap((name) =>
  Object.keys(puts)
    .filter((what) => !harmless.some(([key, put]) => key === name && put === what))
    .map((what) => [name, what] as const),
);

describe('a gate whose key was lost or replaced is shut, and recovered', () => {
  test.each(keysAndPuts)('%s: there is %s', async (name, what) => {
    const { coupon, ann } = await openGate();
    const key = here.keys(coupon.id)[name];
    await raw.unlink(key);
    await puts[what]!(key);
    await expectShut(coupon, ann);
    await expectRecovered(coupon, ann);
  });

  test.each(Object.keys(puts))('holders: there is %s in the middle of a recovery', async (what) => {
    const { coupon, ann } = await openGate();
    const { id } = coupon;
    await gate.fence(id, 2);
    const history = await gate.claim(id, 2, 'token');
    expect(await gate.stage(id, 'token', [bob])).toBe(true);
    await raw.unlink(here.keys(id).holders);
    await puts[what]!(here.keys(id).holders);
    expect(await gate.stage(id, 'token', [ann])).toBe(false);
    expect(await gate.open({ ...coupon, epoch: 2 }, 'token', history!, 1)).toBe(false);
    await gate.fence(id, 3);
    expect(await here.rebuild({ ...coupon, epoch: 3 }, [ann, bob])).toBe(true);
  });
});

const fields = [
  'run_id',
  'replid',
  'epoch',
  'min_epoch',
  'serial',
  'kafka_partition',
  'version',
  'total',
  'left',
  'pending',
  'state',
  'opens_at',
  'closes_at',
];
const values = [
  undefined,
  '',
  'abc',
  '-1',
  '1e400',
  'nan',
  'inf',
  '0x10',
  ' 1',
  '1.5',
  '99999999999999999999',
];

describe('a gate of which a field was lost or replaced is shut, and recovered', () => {
  test.each(fields)('%s', async (field) => {
    for (const value of values) {
      const { coupon, ann } = await openGate();
      const { meta } = here.keys(coupon.id);
      await (value === undefined ? raw.hdel(meta, field) : raw.hset(meta, field, value));
      await expectShut(coupon, ann);
      await expectRecovered(coupon, ann);
    }
  });

  test.each(['recovery_token', 'staged', 'min_epoch'])(
    '%s, in the middle of a recovery',
    async (field) => {
      for (const value of values) {
        const { coupon, ann } = await openGate();
        const { id } = coupon;
        await gate.fence(id, 2);
        const history = await gate.claim(id, 2, 'token');
        await gate.stage(id, 'token', [ann, bob]);
        const { meta } = here.keys(id);
        await (value === undefined ? raw.hdel(meta, field) : raw.hset(meta, field, value));
        expect(await gate.open({ ...coupon, epoch: 2 }, 'token', history!, 2)).toBe(false);
        await expectShut(coupon, ann);
        await expectRecovered(coupon, ann);
      }
    },
  );

  test('an epoch that no recovery can have given leads no recovery astray', async () => {
    const { coupon, ann } = await openGate();
    const { meta } = here.keys(coupon.id);
    await raw.hset(meta, 'epoch', '4294967295', 'min_epoch', '4294967295');
    await expectShut(coupon, ann);
    expect(await gate.inspect(coupon.id)).toMatchObject({ epoch: 0, minEpoch: 0 });
    await expectRecovered(coupon, ann);
  });
});

describe('a gate that is put back from an older copy', () => {
  const otherGate = (): Gate => new Gate(here.connection, here.prefix);

  async function copy(coupon: Coupon): Promise<Map<string, Buffer | null>> {
    const keys = Object.values(here.keys(coupon.id)) as string[];
    return new Map(
      await Promise.all(keys.map(async (key) => [key, await raw.dumpBuffer(key)] as const)),
    );
  }

  async function putBack(older: Map<string, Buffer | null>): Promise<void> {
    await raw.unlink(...older.keys());
    for (const [key, value] of older) {
      if (value !== null) {
        await raw.restore(key, 0, value);
      }
    }
  }

  test('in an older epoch is shut for all once anyone asks who knows the later one', async () => {
    const { coupon, ann } = await openGate();
    const older = await copy(coupon);
    await expectRecovered(coupon, ann);
    await putBack(older);
    await expectShut(coupon, ann);
    await expectShut(coupon, ann, otherGate());
  });

  test('in an older epoch is shut for who has read the later one in MySQL', async () => {
    const { coupon, ann } = await openGate();
    const other = otherGate();
    other.learnEpoch(coupon.id, 2);
    await expectShut(coupon, ann, other);
  });

  test.each<[string, (coupon: Coupon, ann: typeof bob) => Promise<unknown>]>([
    ['somebody was admitted', ({ id }) => gate.reserve(id, ['eve'])],
    ['somebody was confirmed', ({ id }, ann) => gate.confirm(id, 1, [ann])],
    ['the coupon was changed', (coupon) => gate.applyCoupon({ ...coupon, version: 2, total: 3 })],
  ])('in the same epoch is shut for who has seen it later, when %s', async (_, go) => {
    const { coupon, ann } = await openGate();
    const older = await copy(coupon);
    await go(coupon, ann);
    await putBack(older);
    await expectShut(coupon, ann);
  });

  test('as it was amid a recovery is not opened by that: whoever was staged since is not there', async () => {
    const { coupon, ann } = await openGate();
    const { id } = coupon;
    await gate.fence(id, 2);
    const history = await gate.claim(id, 2, 'token');
    await gate.stage(id, 'token', [bob]);
    const older = await copy(coupon);
    await gate.stage(id, 'token', [ann]);
    await putBack(older);
    expect(await gate.open({ ...coupon, epoch: 2 }, 'token', history!, 2)).toBe(false);
    await expectRecovered(coupon, ann);
  });

  test('is not taken for older while replies come in another order than their scripts ran in', async () => {
    const { coupon } = await openGate();
    const users = Array.from({ length: 20 }, (_, i) => `user ${i}`);
    const results = await Promise.all(users.map((user) => gate.reserve(coupon.id, [user])));
    expect(results.every((result) => result.gate === 'open')).toBe(true);
  });
});
