import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Coupon } from '#coupon/coupon.ts';
import type { HeldIssuance } from './gate.ts';
import { Gate } from './gate.ts';
import { bob, expectRecovered, expectShut, here, openGate } from './meddled-gate.fixture.ts';

const { gate, raw } = here;

beforeAll(() => here.start());
afterAll(() => here.close());

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

  test.each<[string, (coupon: Coupon, ann: HeldIssuance) => Promise<unknown>]>([
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

  test.each<[string, (other: Gate, coupon: Coupon) => Promise<unknown>]>([
    ['looked at it', (other, { id }) => other.inspect(id)],
    ['asked what is pending', (other, { id }) => other.listPending(id, 0, 10)],
    ['answered a repeat', (other, { id }) => other.reserve(id, ['bob'])],
    ['confirmed what was confirmed', (other, { id }) => other.confirm(id, 1, [bob])],
    ['changed the coupon', (other, coupon) => other.applyCoupon({ ...coupon, version: 2 })],
  ])('in the same epoch is shut for a process that has only %s', async (_, go) => {
    const { coupon } = await openGate();
    const older = await copy(coupon);
    await here.take(coupon.id, 'eve');
    const other = otherGate();
    await go(other, coupon);
    await putBack(older);
    expect((await otherGate().inspect(coupon.id)).gate).toBe('open');
    expect((await other.inspect(coupon.id)).gate).toBe('fenced');
  });

  test('in an older epoch is shut for the keeper that has opened it in a later one', async () => {
    const { coupon, ann } = await openGate();
    const { id } = coupon;
    const older = await copy(coupon);
    const keeper = otherGate();
    await keeper.fence(id, 2);
    const history = await keeper.claim(id, 2, 'token');
    await keeper.stage(id, 'token', [ann, bob]);
    expect(await keeper.open({ ...coupon, epoch: 2 }, 'token', history!, 2)).toBe(true);
    await putBack(older);
    expect((await keeper.inspect(id)).gate).toBe('fenced');
  });

  test('is open where nobody has admitted since: what it said while it was spoilt is not believed', async () => {
    const { coupon } = await openGate();
    const older = await copy(coupon);
    const { meta } = here.keys(coupon.id);
    await raw.hset(meta, { serial: '999', left: '9' });
    expect((await gate.inspect(coupon.id)).gate).toBe('fenced');
    await putBack(older);
    expect((await gate.inspect(coupon.id)).gate).toBe('open');
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
