import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GateKeys } from './keys.ts';
import { bob, expectRecovered, expectShut, here, openGate } from './meddled-gate.fixture.ts';

/* What another hand may do to the keys of a gate in a Redis that lives on. */

const { gate, raw } = here;

beforeAll(() => here.start());
afterAll(() => here.close());

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
