import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { userIds } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { CouponError } from './coupon-error.ts';
import { CouponAdministration } from './coupon-administration.ts';

const ledger = new TestLedger();
const here = new TestGate();
const { gate } = here;
const administration = new CouponAdministration(ledger.coupons, gate);

beforeAll(async () => {
  await ledger.start();
  await here.start();
});
afterAll(async () => {
  await ledger.close();
  await here.close();
});

function create(given: { id?: number; total?: number; partitions?: number } = {}): Promise<Coupon> {
  const { partitions = 8, ...rest } = given;
  const draft = { name: 'test', total: 10, opensAt: null, closesAt: null, ...rest };
  return administration.create(draft, partitions);
}

/** What both stores say of a coupon, which must be the same. */
async function agreed(couponId: number): Promise<Pick<Coupon, 'total' | 'version' | 'epoch'>> {
  const coupon = await administration.find(couponId);
  const { total, version, epoch } = await gate.inspect(couponId);
  expect({ total, version, epoch }).toEqual({
    total: coupon.total,
    version: coupon.version,
    epoch: coupon.epoch,
  });
  return { total, version, epoch };
}

async function outcomeFor(couponId: number, userId: string): Promise<string> {
  return (await here.outcomes(couponId, userId))[0]!.kind;
}

describe('create', () => {
  test('returns when the gate is open: a request sent now is answered', async () => {
    const coupon = await create();
    expect(await outcomeFor(coupon.id, 'ann')).toBe('reserved');
    expect(await gate.inspect(coupon.id)).toMatchObject({ gate: 'open', left: 9, epoch: 1 });
    expect(await administration.find(coupon.id)).toEqual(coupon);
  });

  test('spreads coupons over the partitions, and tells the gate which', async () => {
    const before = await ledger.coupons.list();
    const partitions = new Set<number>();
    for (let i = 0; i < 3; i += 1) {
      const coupon = await create({ partitions: before.length + 3 });
      partitions.add(coupon.kafkaPartition);
      const result = await gate.reserve(coupon.id, ['ann']);
      expect(result).toMatchObject({ kafkaPartition: coupon.kafkaPartition });
    }
    expect(partitions.size).toBe(3);
  });

  test('refuses an id that is taken, and leaves that coupon and its gate alone', async () => {
    await create({ id: 4_711, total: 3 });
    const issuanceId = await here.take(4_711, 'ann');
    const taken = create({ id: 4_711, total: 99 });
    await expect(taken).rejects.toThrow(new CouponError('coupon 4711 exists already'));
    expect(await agreed(4_711)).toMatchObject({ total: 3 });
    expect(await gate.heldBy(4_711, ['ann'])).toEqual([issuanceId]);
  });

  test('waits for the recovery of a gate that it may not open itself', async () => {
    const id = 4_712;
    await gate.fence(id, 2);
    await createWithKeeper(id);
    expect((await agreed(id)).epoch).toBeGreaterThan(2);
    expect(await outcomeFor(id, 'ann')).toBe('reserved');
  });

  test('takes no holders over from a gate that an older database has left', async () => {
    const id = 4_713;
    await here.rebuild(here.newCoupon({ id, epoch: 3 }), []);
    await here.take(id, 'ann');
    await createWithKeeper(id);
    expect(await gate.inspect(id)).toMatchObject({ gate: 'open', holders: 0, left: 10 });
  });
});

/** Creates a coupon beside a keeper, which must not find it created while its gate is shut. */
async function createWithKeeper(couponId: number): Promise<void> {
  let isCreated = false;
  const creating = create({ id: couponId }).then(() => (isCreated = true));
  const keep = async (): Promise<void> => {
    const isShut = (await gate.inspect(couponId)).gate !== 'open';
    expect(isCreated && isShut).toBe(false);
    if (isShut) {
      await recover(couponId);
    }
    expect(isCreated).toBe(true);
  };
  await vi.waitFor(keep, { timeout: 20_000 });
  await creating;
}

/** As the keeper does, without a marker: there is nothing in the log. */
async function recover(couponId: number): Promise<void> {
  const raised = await ledger.coupons.raiseEpochs([couponId], async () => {
    const { epoch, minEpoch } = await gate.inspect(couponId);
    return new Map([[couponId, Math.max(epoch, minEpoch)]]);
  });
  await gate.fence(couponId, raised.get(couponId)!);
  await here.rebuild(await administration.find(couponId), []);
}

test('a coupon that does not exist cannot be changed, and that is told', async () => {
  const unknown = new CouponError('there is no coupon 999999');
  await expect(administration.find(999_999)).rejects.toThrow(unknown);
  await expect(administration.pause(999_999)).rejects.toThrow(unknown);
  await expect(administration.setTotal(999_999, 5)).rejects.toThrow(unknown);
});

describe('pause, resume and close', () => {
  test('take effect in both stores, each with a version of its own', async () => {
    const { id } = await create();
    expect(await administration.pause(id)).toMatchObject({ state: 'paused', version: 2 });
    expect(await outcomeFor(id, 'ann')).toBe('paused');
    expect(await administration.resume(id)).toMatchObject({ state: 'open', version: 3 });
    expect(await outcomeFor(id, 'ann')).toBe('reserved');
    expect(await administration.close(id)).toMatchObject({ state: 'closed', version: 4 });
    expect(await outcomeFor(id, 'bob')).toBe('closed');
    await agreed(id);
  });

  test('a closed coupon is never opened again', async () => {
    const { id } = await create();
    await administration.close(id);
    const final = new CouponError(`coupon ${id} is closed, which is final`);
    await expect(administration.resume(id)).rejects.toThrow(final);
    await expect(administration.pause(id)).rejects.toThrow(final);
    expect((await administration.close(id)).state).toBe('closed');
    expect(await outcomeFor(id, 'ann')).toBe('closed');
  });

  test('made while the gate is shut are what it opens with', async () => {
    const { id } = await create();
    await ledger.coupons.raiseEpochs([id], async () => new Map([[id, 1]]));
    await gate.fence(id, 2);
    await administration.pause(id);
    await here.rebuild(await administration.find(id), []);
    expect(await outcomeFor(id, 'ann')).toBe('paused');
    await agreed(id);
  });
});

describe('setTimes and rename', () => {
  const past = Date.UTC(2001, 0, 1);
  const future = Date.UTC(2099, 0, 1);

  test('take effect in both stores, whichever way the times move', async () => {
    const { id } = await create();
    const opensLater = { opensAt: future, closesAt: null, version: 2 };
    expect(await administration.setTimes(id, { opensAt: future })).toMatchObject(opensLater);
    expect(await outcomeFor(id, 'ann')).toBe('not_open');
    expect(await administration.setTimes(id, { opensAt: past })).toMatchObject({ version: 3 });
    expect(await outcomeFor(id, 'ann')).toBe('reserved');
    await administration.setTimes(id, { closesAt: past + 1 });
    expect(await outcomeFor(id, 'bob')).toBe('closed');
    const none = { opensAt: null, closesAt: null };
    expect(await administration.setTimes(id, none)).toMatchObject(none);
    expect(await outcomeFor(id, 'bob')).toBe('reserved');
    expect(await administration.rename(id, '여름')).toMatchObject({ name: '여름', version: 6 });
    expect(await gate.terms(id)).toMatchObject({ opensAt: null, closesAt: null });
    await agreed(id);
  });

  test('keep a paused coupon paused, and its total', async () => {
    const { id } = await create({ total: 3 });
    await administration.pause(id);
    await administration.setTimes(id, { opensAt: past });
    await administration.rename(id, 'other');
    expect(await outcomeFor(id, 'ann')).toBe('paused');
    expect(await agreed(id)).toMatchObject({ total: 3 });
  });

  test('refuse what makes no sense, and change nothing', async () => {
    const { id } = await create();
    await administration.setTimes(id, { closesAt: future });
    for (const times of [{ opensAt: future }, { opensAt: 0 }, { closesAt: -1 }]) {
      await expect(administration.setTimes(id, times)).rejects.toThrow(CouponError);
    }
    await expect(administration.rename(id, '\u001b[2J')).rejects.toThrow('one line');
    expect(await administration.find(id)).toMatchObject({ closesAt: future, version: 2 });
  });

  test('leave the times of a closed coupon as they are, but not its name', async () => {
    const { id } = await create();
    await administration.close(id);
    const final = new CouponError(`coupon ${id} is closed, which is final`);
    await expect(administration.setTimes(id, { closesAt: null })).rejects.toThrow(final);
    expect(await administration.rename(id, 'over')).toMatchObject({ name: 'over' });
  });
});

describe('createIfAbsent', () => {
  const draft = { id: 9_000, total: 5, opensAt: null, closesAt: null };

  test('creates one coupon for all who ask at the same time, and none returns before it is open', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const coupon = await administration.createIfAbsent(draft, 8);
        return [coupon.version, (await gate.inspect(draft.id)).gate];
      }),
    );
    expect(all).toEqual(all.map(() => [1, 'open']));
    expect(await outcomeFor(draft.id, 'ann')).toBe('reserved');
  });

  test('takes a coupon for the same that was changed since', async () => {
    await administration.setTotal(draft.id, 7);
    await administration.rename(draft.id, 'renamed');
    await administration.setTimes(draft.id, { closesAt: Date.UTC(2099, 0, 1) });
    for (const total of [5, 7]) {
      const same = await administration.createIfAbsent({ ...draft, total }, 8);
      expect(same).toMatchObject({ total: 7, name: 'renamed', version: 4 });
    }
  });

  test('says what is different, and changes nothing', async () => {
    for (const [other, words] of [
      [{ total: 6 }, 'its total is 7'],
      [{ name: 'mine' }, 'its name is "renamed"'],
      [{ opensAt: Date.UTC(2098, 0, 1) }, 'it opens at no set time'],
      [{ closesAt: Date.UTC(2098, 0, 1) }, 'it closes at 2099-01-01T00:00:00.000Z'],
    ] as const) {
      const told = administration.createIfAbsent({ ...draft, ...other }, 8);
      await expect(told).rejects.toThrow(`with other terms: ${words}`);
    }
    expect(await administration.find(draft.id)).toMatchObject({ version: 4 });
  });
});

describe('setTotal', () => {
  test('raises in both stores: who found it sold out gets one', async () => {
    const { id } = await create({ total: 1 });
    expect((await here.outcomes(id, 'ann', 'bob'))[1]).toEqual({ kind: 'sold_out' });
    expect(await administration.setTotal(id, 2)).toMatchObject({ total: 2, version: 2 });
    expect(await outcomeFor(id, 'bob')).toBe('reserved');
    expect(await agreed(id)).toMatchObject({ total: 2 });
  });

  test('lowers in both stores, down to what is held', async () => {
    const { id } = await create();
    await here.outcomes(id, ...userIds(3));
    expect(await administration.setTotal(id, 3)).toMatchObject({ total: 3, version: 2 });
    expect(await outcomeFor(id, 'late')).toBe('sold_out');
    expect(await agreed(id)).toMatchObject({ total: 3 });
  });

  test('never goes below what is held: it is refused, and nothing is changed', async () => {
    const { id } = await create();
    await here.outcomes(id, ...userIds(3));
    const tooLow = `3 of coupon ${id} are taken already: the total cannot be 2`;
    await expect(administration.setTotal(id, 2)).rejects.toThrow(new CouponError(tooLow));
    expect((await administration.find(id)).total).toBe(10);
    expect((await gate.inspect(id)).total).toBe(10);
    expect(await outcomeFor(id, 'late')).toBe('reserved');
  });

  test('is not lowered while the gate is recovering, and nothing is changed', async () => {
    const { id } = await create();
    await gate.fence(id, 2);
    await expect(administration.setTotal(id, 5)).rejects.toThrow('is being recovered');
    expect((await administration.find(id)).total).toBe(10);
  });

  test('keeps a paused coupon paused', async () => {
    const { id } = await create();
    await administration.pause(id);
    for (const total of [20, 5]) {
      await administration.setTotal(id, total);
      expect(await outcomeFor(id, 'ann')).toBe('paused');
    }
  });

  test('goes on from where somebody died who had lowered only at the gate', async () => {
    const coupon = await create();
    await gate.applyCoupon({ ...coupon, total: 4, version: 2 });
    await administration.pause(coupon.id);
    expect(await agreed(coupon.id)).toMatchObject({ total: 10, version: 3 });
    expect(await outcomeFor(coupon.id, 'ann')).toBe('paused');
  });
});

/** The last one here: no other coupon gets an id after it. */
test('an id that is not chosen is never one that cannot be used', async () => {
  const { id } = await create();
  await ledger.query('UPDATE coupon SET id = 2147483647 WHERE id = ?', [id]);
  await ledger.query('ALTER TABLE coupon AUTO_INCREMENT = 2147483648', []);
  await expect(create()).rejects.toThrow('choose a free one up to 1000000000');
  expect((await ledger.coupons.list()).at(-1)?.id).toBe(2_147_483_647);
  expect((await create({ id: 12_345 })).id).toBe(12_345);
});
