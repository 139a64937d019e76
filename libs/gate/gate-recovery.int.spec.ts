import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anIssuanceId, userIds } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import type { Coupon } from '#coupon/coupon.ts';

const here = new TestGate();
const { gate } = here;

beforeAll(() => here.start());
afterAll(() => here.close());

const ann = { userId: 'ann', issuanceId: anIssuanceId() };
const bob = { userId: 'bob', issuanceId: anIssuanceId() };

/** A gate that was open in epoch 1 and is fenced by a recovery in epoch 2. */
async function fencedCoupon(): Promise<Coupon> {
  const coupon = await here.openCoupon();
  await gate.fence(coupon.id, 2);
  return { ...coupon, epoch: 2 };
}

describe('a fenced gate', () => {
  test('admits nobody and answers nobody, not even a holder', async () => {
    const { id } = await here.openCoupon({}, [ann]);
    await gate.fence(id, 2);
    expect(await gate.reserve(id, ['ann', 'bob'])).toEqual({ gate: 'fenced' });
    expect((await gate.inspect(id)).gate).toBe('fenced');
  });

  test('is what a gate is that was opened on another run of Redis', async () => {
    const { id } = await here.openCoupon();
    await here.breakRunId(id);
    expect(await gate.reserve(id, ['ann'])).toEqual({ gate: 'fenced' });
  });

  test('stays in the newest epoch that any recovery has asked for', async () => {
    const { id } = await here.openCoupon();
    expect(await gate.fence(id, 3)).toBe(3);
    expect(await gate.fence(id, 2)).toBe(3);
    expect((await gate.inspect(id)).minEpoch).toBe(3);
  });

  test('that is fenced in the epoch it is open in stays open', async () => {
    const { id } = await here.openCoupon();
    expect(await gate.fence(id, 1)).toBe(1);
    expect((await gate.inspect(id)).gate).toBe('open');
  });
});

describe('opening', () => {
  test('lets in exactly the holders that were staged, and drops what was pending', async () => {
    const { id } = await here.openCoupon({ total: 9, kafkaPartition: 2 });
    await here.outcomes(id, 'ann', 'eve');
    await gate.fence(id, 2);
    const coupon = here.newCoupon({ id, total: 9, version: 4, epoch: 2, kafkaPartition: 2 });
    expect(await here.rebuild(coupon, [ann, bob])).toBe(true);
    expect(await gate.inspect(id)).toMatchObject({
      gate: 'open',
      left: 7,
      holders: 2,
      total: 9,
      version: 4,
      epoch: 2,
      minEpoch: 2,
      pending: 0,
    });
    expect(await gate.heldBy(id, ['ann', 'bob', 'eve'])).toEqual([
      ann.issuanceId,
      bob.issuanceId,
      null,
    ]);
    expect(await here.raw.exists(here.keys(id).pending, here.keys(id).pendingUsers)).toBe(0);
  });

  test('takes total, state and times from MySQL', async () => {
    const coupon = { ...(await fencedCoupon()), total: 3, state: 'paused' as const };
    expect(await here.rebuild(coupon, [ann])).toBe(true);
    expect(await here.outcomes(coupon.id, 'bob', 'ann')).toEqual([
      { kind: 'paused' },
      { kind: 'replayed', issuanceId: ann.issuanceId, pending: false },
    ]);
  });

  test('with nobody staged drops the holders of the old epoch', async () => {
    const { id } = await here.openCoupon({}, [ann]);
    await gate.fence(id, 2);
    expect(await here.rebuild(here.newCoupon({ id, epoch: 2 }), [])).toBe(true);
    expect(await gate.inspect(id)).toMatchObject({ left: 10, holders: 0 });
  });

  test('works in slices of 500', async () => {
    const coupon = await fencedCoupon();
    const runId = await here.claim(coupon, 'token');
    for (const prefix of ['a', 'b']) {
      const slice = userIds(500, prefix).map((userId) => ({ userId, issuanceId: anIssuanceId() }));
      expect(await gate.stage(coupon.id, 'token', slice)).toBe(true);
    }
    expect(await gate.open({ ...coupon, total: 1_500 }, 'token', runId, 1_000)).toBe(true);
    expect(await gate.inspect(coupon.id)).toMatchObject({ left: 500, holders: 1_000 });
  });

  test('makes a gate where there was none', async () => {
    const coupon = here.newCoupon({ epoch: 3 });
    await gate.fence(coupon.id, 3);
    expect(await here.rebuild(coupon, [ann])).toBe(true);
    expect(await gate.inspect(coupon.id)).toMatchObject({ gate: 'open', epoch: 3, left: 9 });
  });
});

describe('claiming', () => {
  test('frees what the gate held at once, so that the next holders need no room beside it', async () => {
    const { id } = await here.openCoupon({}, [ann]);
    await here.outcomes(id, 'eve');
    await gate.fence(id, 2);
    await here.claim(here.newCoupon({ id, epoch: 2 }), 'token');
    const { meta, ...dead } = here.keys(id);
    expect(await here.raw.exists(...Object.values(dead))).toBe(0);
    expect(await here.raw.hgetall(meta)).toEqual({
      min_epoch: '2',
      recovery_token: 'token',
      staged: '0',
    });
  });

  test('is refused to a slow recovery: a gate that a newer one has opened keeps its holders', async () => {
    const coupon = await fencedCoupon();
    expect(await here.rebuild(coupon, [ann])).toBe(true);
    await here.take(coupon.id, 'bob');
    for (const epoch of [1, 2, 3]) {
      expect(await gate.claim(coupon.id, epoch, 'slow')).toBeUndefined();
    }
    expect(await gate.inspect(coupon.id)).toMatchObject({ gate: 'open', holders: 2 });
  });

  test('is refused in an epoch the gate was opened in, though it has shut itself since', async () => {
    const coupon = await fencedCoupon();
    await here.rebuild(coupon, [ann]);
    await here.breakRunId(coupon.id);
    expect(await gate.claim(coupon.id, coupon.epoch, 'slow')).toBeUndefined();
  });

  test('is refused when Redis has lost the fence, and when a newer recovery has raised it', async () => {
    const coupon = await fencedCoupon();
    await gate.fence(coupon.id, 3);
    expect(await gate.claim(coupon.id, 2, 'slow')).toBeUndefined();
    await here.raw.unlink(here.keys(coupon.id).meta);
    expect(await gate.claim(coupon.id, 3, 'slow')).toBeUndefined();
    expect((await gate.inspect(coupon.id)).gate).toBe('absent');
  });
});

describe('a change that meets its gate shut', () => {
  test('holds when it has returned: the gate opens with it or not at all', async () => {
    const read = await fencedCoupon();
    const runId = await here.claim(read, 'token');
    const paused = { ...read, version: read.version + 1, state: 'paused' as const };
    expect(await gate.applyCoupon(paused)).toEqual({ kind: 'fenced' });
    expect(await gate.open(read, 'token', runId, 0)).toBe(false);
    expect(await gate.applyCoupon(read)).toEqual({ kind: 'fenced' });
    expect(await gate.open(read, 'token', runId, 0)).toBe(false);
    expect(await gate.open(paused, 'token', runId, 0)).toBe(true);
    expect(await here.outcomes(read.id, 'ann')).toEqual([{ kind: 'paused' }]);
  });

  test('does not bind whoever claims the gate next, and so reads the coupon later', async () => {
    const coupon = await fencedCoupon();
    await here.claim(coupon, 'token');
    await gate.applyCoupon({ ...coupon, version: 9 });
    expect(await here.rebuild(coupon, [])).toBe(true);
  });
});

describe('a recovery that was overtaken', () => {
  test('neither stages nor opens once another has claimed the gate', async () => {
    const coupon = await fencedCoupon();
    const runId = await here.claim(coupon, 'slow');
    await here.claim(coupon, 'quick');
    expect(await gate.stage(coupon.id, 'slow', [ann])).toBe(false);
    expect(await gate.open(coupon, 'slow', runId, 0)).toBe(false);
    expect((await gate.inspect(coupon.id)).gate).toBe('fenced');
  });

  test('leaves nothing of what it staged to the one that claims next', async () => {
    const coupon = await fencedCoupon();
    await here.claim(coupon, 'slow');
    await gate.stage(coupon.id, 'slow', [ann]);
    const runId = await here.claim(coupon, 'quick');
    await gate.stage(coupon.id, 'quick', [bob]);
    expect(await gate.open(coupon, 'quick', runId, 1)).toBe(true);
    expect(await gate.heldBy(coupon.id, ['ann', 'bob'])).toEqual([null, bob.issuanceId]);
  });

  test('does not open in an epoch that a newer recovery has fenced', async () => {
    const coupon = await fencedCoupon();
    const runId = await here.claim(coupon, 'slow');
    await gate.fence(coupon.id, 3);
    expect(await gate.open(coupon, 'slow', runId, 0)).toBe(false);
    expect((await gate.inspect(coupon.id)).gate).toBe('fenced');
  });

  test('does not open a gate again that is open at its epoch or a later one', async () => {
    const coupon = await fencedCoupon();
    expect(await here.rebuild(coupon, [ann])).toBe(true);
    const issuanceId = await here.take(coupon.id, 'bob');
    expect(await here.rebuild(coupon, [])).toBe(false);
    expect(await here.rebuild({ ...coupon, epoch: 1 }, [])).toBe(false);
    expect(await gate.heldBy(coupon.id, ['ann', 'bob'])).toEqual([ann.issuanceId, issuanceId]);
  });

  test('cannot use its claim twice', async () => {
    const coupon = await fencedCoupon();
    const runId = await here.claim(coupon, 'token');
    expect(await gate.open(coupon, 'token', runId, 0)).toBe(true);
    expect(await gate.stage(coupon.id, 'token', [ann])).toBe(false);
    expect(await gate.open({ ...coupon, epoch: 3 }, 'token', runId, 0)).toBe(false);
  });

  test('does not open on another run of Redis than it has claimed', async () => {
    const coupon = await fencedCoupon();
    const runId = await here.claim(coupon, 'token');
    expect(await gate.open(coupon, 'token', `${runId}0`, 0)).toBe(false);
    expect((await gate.inspect(coupon.id)).gate).toBe('fenced');
  });

  test('does not open without those it has staged, when Redis has lost them', async () => {
    const coupon = await fencedCoupon();
    const runId = await here.claim(coupon, 'token');
    await gate.stage(coupon.id, 'token', [ann]);
    await here.raw.unlink(here.keys(coupon.id).holders);
    expect(await gate.open(coupon, 'token', runId, 1)).toBe(false);
    await gate.stage(coupon.id, 'token', [bob]);
    expect(await gate.open(coupon, 'token', runId, 1)).toBe(false);
    expect((await gate.inspect(coupon.id)).gate).toBe('fenced');
  });

  test('neither stages nor opens when Redis has lost its claim', async () => {
    const coupon = await fencedCoupon();
    const runId = await here.claim(coupon, 'token');
    await here.raw.unlink(here.keys(coupon.id).meta);
    expect(await gate.stage(coupon.id, 'token', [ann])).toBe(false);
    expect(await gate.open(coupon, 'token', runId, 0)).toBe(false);
  });
});
