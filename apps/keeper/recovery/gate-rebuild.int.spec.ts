import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aRequest, userIds } from '../../../test/harness/fixtures.ts';
import { TestGate } from '../../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { CouponAdministration } from '#administration/coupon-administration.ts';
import { uuidToBytes } from '#ledger/uuid-bytes.ts';
import { inSlices } from '#platform/work/slices.ts';
import type { Gate } from '#gate/gate.ts';
import { GateRebuild, NoRoomError, OpenUnheardError } from './gate-rebuild.ts';

const ledger = new TestLedger();
const here = new TestGate();
const staged: number[] = [];
const rebuild = rebuildAt(here.gate);
const { signal } = new AbortController();

beforeAll(() => Promise.all([ledger.start(), here.start()]));
beforeEach(() => {
  staged.length = 0;
});
afterAll(() => Promise.all([ledger.close(), here.close()]));

function rebuildAt(gate: Gate): GateRebuild {
  return new GateRebuild(ledger.coupons, ledger.issuances, gate, (count) => staged.push(count));
}

/** Steps 1 and 2 of a recovery. */
async function begin(couponId: number): Promise<number> {
  const raised = await ledger.coupons.raiseEpochs([couponId], () =>
    Promise.resolve(new Map([[couponId, 0]])),
  );
  return raised.get(couponId)!;
}

test('opens the gate with everybody whom MySQL knows, in the epoch that it was asked for', async () => {
  const { id } = await ledger.createCoupon();
  const ann = aRequest({ couponId: id, userId: 'ann' });
  await ledger.issuances.decideChunk([ann]);
  const epoch = await begin(id);
  await here.gate.fence(id, epoch);
  expect(await rebuild.run(id, epoch, signal)).toBe('opened');
  expect(await here.gate.inspect(id)).toMatchObject({ gate: 'open', epoch, left: 9 });
  expect(await here.outcomes(id, 'ann')).toEqual([
    { kind: 'replayed', issuanceId: ann.issuanceId, pending: false },
  ]);
});

test('a recovery that a newer one has overtaken in MySQL opens nothing: the newer marker is not applied', async () => {
  const { id } = await ledger.createCoupon({ total: 1 });
  const first = await begin(id);
  await here.gate.fence(id, first);
  const ann = aRequest({ couponId: id, epoch: first - 1, userId: 'ann' });

  // The newer one has raised the epoch in MySQL, and has not come to the gate yet.
  const newer = await begin(id);
  expect(newer).toBeGreaterThan(first);
  expect(await rebuild.run(id, first, signal)).toBe('overtaken');
  expect(await here.gate.inspect(id)).toMatchObject({ gate: 'fenced' });

  // What was acknowledged before its marker is decided before it opens the gate: ann is not forgotten.
  await here.gate.fence(id, newer);
  await ledger.issuances.decideChunk([ann]);
  expect(await rebuild.run(id, newer, signal)).toBe('opened');
  expect(await here.outcomes(id, 'bob', 'ann')).toEqual([
    { kind: 'sold_out' },
    { kind: 'replayed', issuanceId: ann.issuanceId, pending: false },
  ]);
});

/** A rebuild with `before` ahead of each step at the gate. */
function rebuildWith(before: (method: string) => Promise<void>): GateRebuild {
  return rebuildAt(withStepsBefore(here.gate, before));
}

test('a pause that returns while the gate is rebuilt holds: it opens paused', async () => {
  const { id } = await ledger.createCoupon();
  const epoch = await begin(id);
  await here.gate.fence(id, epoch);
  const administration = new CouponAdministration(ledger.coupons, here.gate);
  let isPaused = false;
  const slow = rebuildWith(async (method) => {
    if (method === 'open' && !isPaused) {
      isPaused = true;
      await administration.pause(id);
    }
  });
  expect(await slow.run(id, epoch, signal)).toBe('opened');
  expect(isPaused).toBe(true);
  expect(await here.outcomes(id, 'ann')).toEqual([{ kind: 'paused' }]);
});

test('one that loses its claim on the way is interrupted, and opens the gate in the same epoch', async () => {
  const { id } = await ledger.createCoupon();
  await ledger.issuances.decideChunk([aRequest({ couponId: id, userId: 'ann' })]);
  const epoch = await begin(id);
  await here.gate.fence(id, epoch);
  const disturbed = rebuildWith(async (method) => {
    if (method === 'open') {
      await here.gate.claim(id, epoch, 'one of its own, late');
    }
  });
  expect(await disturbed.run(id, epoch, signal)).toBe('interrupted');
  expect(await rebuild.run(id, epoch, signal)).toBe('opened');
  expect(await here.gate.inspect(id)).toMatchObject({ gate: 'open', epoch, holders: 1 });
});

test('one whose staging is put back from an older copy is interrupted, and then opens with everybody', async () => {
  const { id } = await ledger.createCoupon();
  await ledger.issuances.decideChunk([aRequest({ couponId: id, userId: 'ann' })]);
  const epoch = await begin(id);
  await here.gate.fence(id, epoch);
  const keys = Object.values(here.keys(id)) as string[];
  const copyOf = (key: string): string => `${key}:copy`;
  const disturbed = rebuildWith(async (method) => {
    if (method === 'stage') {
      await Promise.all(keys.map((key) => here.raw.copy(key, copyOf(key))));
    }
    if (method === 'open') {
      await here.raw.unlink(...keys);
      await Promise.all(keys.map((key) => here.raw.copy(copyOf(key), key)));
    }
  });
  expect(await disturbed.run(id, epoch, signal)).toBe('interrupted');
  expect(await here.gate.inspect(id)).toMatchObject({ gate: 'fenced', holders: 0 });
  expect(await rebuild.run(id, epoch, signal)).toBe('opened');
  expect(await here.gate.inspect(id)).toMatchObject({ gate: 'open', holders: 1, left: 9 });
});

test('one that does not hear whether it has opened says so: its epoch is not to be used again', async () => {
  const { id } = await ledger.createCoupon();
  const epoch = await begin(id);
  await here.gate.fence(id, epoch);
  const deaf = rebuildWith(async (method) => {
    if (method === 'open') {
      throw new Error('no reply');
    }
  });
  const failed = await deaf.run(id, epoch, signal).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(OpenUnheardError);
  expect(failed).toMatchObject({ name: 'OpenUnheardError', cause: { message: 'no reply' } });
});

test('a gate that is not fenced for that epoch is left as it is, and so is that of a coupon that is gone', async () => {
  const { id } = await ledger.createCoupon();
  const epoch = await begin(id);
  await here.gate.fence(id, epoch + 1);
  expect(await rebuild.run(id, epoch, signal)).toBe('overtaken');
  expect(await here.gate.inspect(id)).toMatchObject({ gate: 'fenced', minEpoch: epoch + 1 });
  expect(staged).toEqual([]);

  const gone = await ledger.createCoupon();
  const last = await begin(gone.id);
  await here.gate.fence(gone.id, last);
  await ledger.query('DELETE FROM coupon WHERE id = ?', [gone.id]);
  expect(await rebuild.run(gone.id, last, signal)).toBe('overtaken');
});

/** A coupon with so many holders in MySQL whose gate is fenced for the epoch it is in. */
async function fencedWith(holders: number): Promise<{ id: number; epoch: number }> {
  const { id } = await ledger.createCoupon({ total: 100_000 });
  const requests = userIds(holders).map((userId) => aRequest({ couponId: id, userId }));
  for (const some of inSlices(requests, 1_000)) {
    await ledger.query('INSERT INTO issuance (id, coupon_id, user_id, epoch, issued_at) VALUES ?', [
      some.map((one) => [uuidToBytes(one.issuanceId), id, Buffer.from(one.userId), 1, 1]),
    ]);
  }
  const epoch = await begin(id);
  await here.gate.fence(id, epoch);
  return { id, epoch };
}

test('reads the holders slice by slice, tells how many are staged, and stages each', async () => {
  const { id, epoch } = await fencedWith(5_001);
  expect(await rebuild.run(id, epoch, signal)).toBe('opened');
  expect(staged).toEqual([5_000, 1]);
  expect(await here.gate.inspect(id)).toMatchObject({ holders: 5_001, left: 94_999 });
});

test('one that is stopped stages no more, and opens nothing', async () => {
  const { id, epoch } = await fencedWith(1);
  await expect(rebuild.run(id, epoch, AbortSignal.abort())).rejects.toThrow('aborted');
  expect(staged).toEqual([]);
  expect((await here.gate.inspect(id)).gate).toBe('fenced');
});

describe('when Redis is full', () => {
  /** As if that much memory were left: what comes next at each look, and in the end the last. */
  function rebuildWithRoom(...bytes: number[]): GateRebuild {
    const room = async (): Promise<number> => (bytes.length > 1 ? bytes.shift()! : bytes[0]!);
    return rebuildAt(Object.assign(Object.create(here.gate) as Gate, { room }));
  }

  /** As MySQL counts them; that is what room is asked for. */
  async function fencedAsIf(issued: number): Promise<{ id: number; epoch: number }> {
    const coupon = await fencedWith(1);
    await ledger.query('UPDATE coupon SET issued = ? WHERE id = ?', [issued, coupon.id]);
    return coupon;
  }

  test('many holders wait for room, and are told when there is none', async () => {
    const { id, epoch } = await fencedAsIf(10_000);
    const failed = await rebuildWithRoom(1_299_999)
      .run(id, epoch, signal)
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NoRoomError);
    expect(failed).toMatchObject({ name: 'NoRoomError', cause: { message: /do not fit/ } });
    expect((failed as Error).message).toBe(
      `Redis has no room for the 10000 holders of coupon ${id}: raise its maxmemory`,
    );
    expect(staged).toEqual([]);
    // What was freed meanwhile is enough: just that much is needed.
    expect(await rebuildWithRoom(0, 1_300_000).run(id, epoch, signal)).toBe('opened');
  });

  test('fewer do not wait', async () => {
    const { id, epoch } = await fencedAsIf(9_999);
    const before = performance.now();
    expect(await rebuildWithRoom(0).run(id, epoch, signal)).toBe('opened');
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  test('nothing of the holders stays there: others need the room', async () => {
    const { id, epoch } = await fencedWith(5_001);
    let stages = 0;
    const full = rebuildWith(async (method) => {
      if (method === 'stage' && ++stages === 3) {
        throw new Error("OOM command not allowed when used memory > 'maxmemory'.");
      }
    });
    await expect(full.run(id, epoch, signal)).rejects.toThrow(NoRoomError);
    expect(await here.raw.exists(here.keys(id).holders)).toBe(0);
  });

  test('a failure of another kind is told as it is', async () => {
    const { id, epoch } = await fencedWith(1);
    const away = new Error('Connection is closed.');
    const failing = rebuildWith(async (method) => {
      if (method === 'stage') {
        throw away;
      }
    });
    await expect(failing.run(id, epoch, signal)).rejects.toBe(away);
  });
});
