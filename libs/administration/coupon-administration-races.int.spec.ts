import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { userIds } from '../../test/harness/fixtures.ts';
import { untilOneWaitsForALock } from '../../test/harness/stores/lock-wait.ts';
import { withStepsBefore } from '../../test/harness/steps-before.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { CouponError } from './coupon-error.ts';
import { CouponAdministration } from './coupon-administration.ts';

const farAhead = Date.UTC(2099, 0, 1);
const ledger = new TestLedger();
const here = new TestGate();
const administration = new CouponAdministration(ledger.coupons, here.gate);

beforeAll(async () => {
  await ledger.start();
  await here.start();
});
afterAll(async () => {
  await ledger.close();
  await here.close();
});

function create(): Promise<Coupon> {
  return administration.create({ name: 'test', total: 10, opensAt: null, closesAt: null }, 8);
}

function administrationWithStepsBefore(
  before: (method: string) => Promise<void>,
): CouponAdministration {
  return new CouponAdministration(
    withStepsBefore(ledger.coupons, before),
    withStepsBefore(here.gate, before),
  );
}

/** That the stores say the same, and what clients meet is what MySQL says. */
async function expectAgreement(couponId: number): Promise<Coupon> {
  const coupon = await administration.find(couponId);
  const atGate = await here.gate.inspect(couponId);
  expect({ total: atGate.total, version: atGate.version }).toEqual({
    total: coupon.total,
    version: coupon.version,
  });
  expect((await here.gate.terms(couponId))?.closesAt).toBe(coupon.closesAt);
  const [outcome] = await here.outcomes(couponId, 'somebody new');
  expect(outcome?.kind).toBe(coupon.state === 'open' ? 'reserved' : coupon.state);
  return coupon;
}

/** What both stores hold after `interruption` came before step `at` of `change`; false past its end. */
async function interrupted(
  at: number,
  change: (manager: CouponAdministration, id: number) => Promise<unknown>,
  interruption: (manager: CouponAdministration, id: number) => Promise<unknown>,
): Promise<Coupon | undefined> {
  const { id } = await create();
  let step = 0;
  let wasInterrupted = false;
  const manager = administrationWithStepsBefore(async () => {
    step += 1;
    if (step === at) {
      wasInterrupted = true;
      await interruption(administration, id);
    }
  });
  await change(manager, id);
  return wasInterrupted ? expectAgreement(id) : undefined;
}

describe('two changes at the same time both take effect, whenever one comes in between', () => {
  const lower = (manager: CouponAdministration, id: number) => manager.setTotal(id, 5);
  const raise = (manager: CouponAdministration, id: number) => manager.setTotal(id, 20);
  const pause = (manager: CouponAdministration, id: number) => manager.pause(id);
  const schedule = (manager: CouponAdministration, id: number) =>
    manager.setTimes(id, { closesAt: farAhead });
  const rename = (manager: CouponAdministration, id: number) => manager.rename(id, 'other');
  test.each([
    ['a pause while it is lowered', lower, pause, { total: 5, state: 'paused' }],
    ['a pause while it is raised', raise, pause, { total: 20, state: 'paused' }],
    ['lowering while it is paused', pause, lower, { total: 5, state: 'paused' }],
    ['raising while it is paused', pause, raise, { total: 20, state: 'paused' }],
    ['other times while it is lowered', lower, schedule, { total: 5, closesAt: farAhead }],
    ['lowering while it gets other times', schedule, lower, { total: 5, closesAt: farAhead }],
    ['a pause while it gets other times', schedule, pause, { state: 'paused', closesAt: farAhead }],
    ['another name while it is raised', raise, rename, { total: 20, name: 'other' }],
    ['other times while it is renamed', rename, schedule, { name: 'other', closesAt: farAhead }],
  ])('%s', async (_name, change, interruption, expected) => {
    let steps = 0;
    for (;;) {
      const after = await interrupted(steps + 1, change, interruption);
      if (after === undefined) {
        break;
      }
      expect(after).toMatchObject(expected);
      steps += 1;
    }
    expect(steps).toBeGreaterThanOrEqual(4);
  });
});

describe('a change is decided on the coupon as it is, whatever has come since it was read', () => {
  /** A manager who has read the coupon when `others` changes it, before the gate is looked at. */
  async function overtakenBy(others: (id: number) => Promise<unknown>) {
    const { id } = await create();
    let isOvertaken = false;
    const manager = administrationWithStepsBefore(async (method) => {
      if (method === 'inspect' && !isOvertaken) {
        isOvertaken = true;
        await others(id);
      }
    });
    return { id, manager };
  }

  test('a coupon that was closed is not opened again', async () => {
    const { id, manager } = await overtakenBy((couponId) => administration.close(couponId));
    await expect(manager.resume(id)).rejects.toThrow('is closed, which is final');
    expect(await expectAgreement(id)).toMatchObject({ state: 'closed' });
  });

  test('a coupon that was closed gets no other times', async () => {
    const { id, manager } = await overtakenBy((couponId) => administration.close(couponId));
    await expect(manager.setTimes(id, { opensAt: farAhead })).rejects.toThrow('which is final');
    expect(await expectAgreement(id)).toMatchObject({ state: 'closed', opensAt: null });
  });

  test('times that others have changed are not contradicted', async () => {
    const { id, manager } = await overtakenBy((couponId) =>
      administration.setTimes(couponId, { closesAt: farAhead }),
    );
    await expect(manager.setTimes(id, { opensAt: farAhead + 1 })).rejects.toThrow(
      'must close later',
    );
    expect(await expectAgreement(id)).toMatchObject({ opensAt: null, closesAt: farAhead });
  });

  test('a total that others have raised is not lowered in MySQL first', async () => {
    const { id, manager } = await overtakenBy(async (couponId) => {
      await administration.setTotal(couponId, 20);
      await here.outcomes(couponId, ...userIds(15));
    });
    await expect(manager.setTotal(id, 12)).rejects.toThrow('15 of coupon');
    expect((await administration.find(id)).total).toBe(20);
  });
});

describe('a keeper that finds a new coupon shut, while its gate is about to be opened', () => {
  /** As a recovery begins: returns the epoch, or nothing where the gate is open by then. */
  async function beginRecovery(couponId: number): Promise<number | undefined> {
    const epochs = await ledger.coupons.raiseEpochs([couponId], async () => {
      const { gate, epoch } = await here.gate.inspect(couponId);
      return new Map(gate === 'open' ? [] : [[couponId, epoch]]);
    });
    return epochs.get(couponId);
  }

  /** Creates a coupon, with `before` ahead of each step that follows its row in MySQL. */
  function createWith(before: (method: string, id: number) => Promise<unknown>): Promise<Coupon> {
    let isInLedger = false;
    const manager = administrationWithStepsBefore(async (method) => {
      isInLedger ||= method === 'beforeRecovery';
      if (isInLedger) {
        await before(method, (await ledger.coupons.list()).at(-1)!.id);
      }
    });
    return manager.create({ name: 'new', total: 10, opensAt: null, closesAt: null }, 8);
  }

  test('leaves it alone when it is opened meanwhile: whoever asks from then on is answered', async () => {
    let beginning: Promise<number | undefined> | undefined;
    const { id } = await createWith(async (method, couponId) => {
      if (method === 'open') {
        beginning = beginRecovery(couponId);
        await untilOneWaitsForALock(ledger);
      }
    });
    expect(beginning).toBeDefined();
    expect(await beginning).toBeUndefined();
    expect(await here.gate.inspect(id)).toMatchObject({ gate: 'open', epoch: 1, minEpoch: 1 });
    expect(await expectAgreement(id)).toMatchObject({ epoch: 1 });
  });

  test('is waited for when it came first', async () => {
    let looks = 0;
    const { id } = await createWith(async (method, couponId) => {
      if (method === 'beforeRecovery') {
        await here.gate.fence(couponId, (await beginRecovery(couponId))!);
      } else if (method === 'inspect') {
        looks += 1;
        if (looks === 3) {
          await here.rebuild(await administration.find(couponId), []);
        }
      }
    });
    expect(looks).toBe(3);
    expect(await expectAgreement(id)).toMatchObject({ epoch: 2 });
  });
});

test('a pause is at the gate when it returns, although one who lowered it died half-way', async () => {
  const coupon = await create();
  let hasDied = false;
  const manager = administrationWithStepsBefore(async (method) => {
    if (method === 'change' && !hasDied) {
      hasDied = true;
      await ledger.coupons.takeVersion(coupon, 2);
      await here.gate.applyCoupon({ ...coupon, total: 5, version: 2 });
    }
  });
  await manager.pause(coupon.id);
  expect(await expectAgreement(coupon.id)).toMatchObject({ state: 'paused', total: 10 });
});

describe('lowering when a recovery comes between the gate and MySQL', () => {
  /** Lowers to 5 and has `recover` come after the gate was changed and before MySQL is. */
  async function lowerWith(recover: (coupon: Coupon) => Promise<void>): Promise<{
    id: number;
    lowering: Promise<Coupon>;
  }> {
    const coupon = await create();
    let recovered = false;
    const manager = administrationWithStepsBefore(async (method) => {
      if (method === 'change' && !recovered) {
        recovered = true;
        await ledger.coupons.raiseEpochs([coupon.id], async () => new Map([[coupon.id, 1]]));
        await here.gate.fence(coupon.id, 2);
        await recover(coupon);
      }
    });
    return { id: coupon.id, lowering: manager.setTotal(coupon.id, 5) };
  }

  /** The recovery opens the gate with the total of MySQL, which is still the old one. */
  async function open(coupon: Coupon): Promise<void> {
    await here.rebuild(await administration.find(coupon.id), []);
  }

  test('lowers again behind it, in both stores', async () => {
    const { id, lowering } = await lowerWith(open);
    expect(await lowering).toMatchObject({ total: 5, epoch: 2 });
    expect(await expectAgreement(id)).toMatchObject({ total: 5 });
  });

  test('never lowers MySQL below what the reopened gate has given', async () => {
    const { id, lowering } = await lowerWith(async (coupon) => {
      await open(coupon);
      await here.outcomes(coupon.id, ...userIds(7));
    });
    await expect(lowering).rejects.toThrow(CouponError);
    expect((await administration.find(id)).total).toBe(10);
    expect(await here.gate.inspect(id)).toMatchObject({ gate: 'open', total: 10, left: 3 });
  });

  test('changes nothing in MySQL while the gate is shut', async () => {
    const { id, lowering } = await lowerWith(async () => {});
    await expect(lowering).rejects.toThrow('is being recovered');
    expect((await administration.find(id)).total).toBe(10);
    await open(await administration.find(id));
    expect(await expectAgreement(id)).toMatchObject({ total: 10 });
  });
});

test('managers who all change one coupon leave both stores the same, in any order of steps', async () => {
  const changes = fc.array(
    fc.constantFrom(4, 5, 6, 15, 20, 'pause' as const, 'set-times' as const),
    { minLength: 2, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), changes, async (scheduler, wanted) => {
      const { id } = await create();
      const manager = administrationWithStepsBefore(async (method) => {
        await scheduler.schedule(Promise.resolve(), method);
      });
      const all = wanted.map((change) => {
        if (change === 'pause') {
          return manager.pause(id);
        }
        return change === 'set-times'
          ? manager.setTimes(id, { closesAt: farAhead })
          : manager.setTotal(id, change);
      });
      await scheduler.waitFor(Promise.all(all));
      const coupon = await expectAgreement(id);
      expect(coupon.state).toBe(wanted.includes('pause') ? 'paused' : 'open');
      expect(coupon.closesAt).toBe(wanted.includes('set-times') ? farAhead : null);
      expect([10, ...wanted]).toContain(coupon.total);
      await expectRisingVersions(id, wanted.length);
    }),
    { numRuns: 25, interruptAfterTimeLimit: 15_000 },
  );
}, 60_000);

async function expectRisingVersions(couponId: number, changes: number): Promise<void> {
  const rows = await ledger.query<{ version: number }>(
    'SELECT version FROM coupon_change WHERE coupon_id = ? ORDER BY changed_at, version',
    [couponId],
  );
  const versions = rows.map((row) => row.version);
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  expect(versions.length).toBeGreaterThanOrEqual(1 + changes);
}
