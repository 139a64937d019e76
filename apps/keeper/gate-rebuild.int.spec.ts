import { afterAll, beforeAll, expect, test } from 'vitest';
import { aRequest } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/test-gate.ts';
import { TestLedger } from '../../test/harness/test-ledger.ts';
import { withStepsBefore } from '../../test/harness/steps-before.ts';
import { CouponAdministration } from '#administration/coupon-administration.ts';
import { GateRebuild, OpenUnheardError } from './gate-rebuild.ts';

const ledger = new TestLedger();
const here = new TestGate();
const rebuild = new GateRebuild(ledger.coupons, ledger.issuances, here.gate, () => {});
const { signal } = new AbortController();

beforeAll(() => Promise.all([ledger.start(), here.start()]));
afterAll(() => Promise.all([ledger.close(), here.close()]));

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
  const gate = withStepsBefore(here.gate, before);
  return new GateRebuild(ledger.coupons, ledger.issuances, gate, () => {});
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
  await expect(deaf.run(id, epoch, signal)).rejects.toThrow(OpenUnheardError);
});
