import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import { inTransaction } from './transaction.ts';

const here = new TestLedger();

beforeAll(() => here.start());
afterAll(() => here.close());

/** Adds one to both, in this order; waits in between, the first time, for the other to have begun. */
async function incrementBoth(ids: number[], between: () => Promise<void>): Promise<number> {
  let attempts = 0;
  await inTransaction(here.connection, async (manager) => {
    attempts += 1;
    await manager.query('UPDATE coupon SET version = version + 1 WHERE id = ?', [ids[0]]);
    await between();
    await manager.query('UPDATE coupon SET version = version + 1 WHERE id = ?', [ids[1]]);
  });
  return attempts;
}

test('whoever loses a deadlock is run again as a whole: both take effect, once', async () => {
  const ids = [(await here.createCoupon()).id, (await here.createCoupon()).id];
  const { promise: bothBegan, resolve } = Promise.withResolvers<void>();
  let began = 0;
  const between = (): Promise<void> => {
    began += 1;
    if (began === 2) {
      resolve();
    }
    return bothBegan;
  };
  const attempts = await Promise.all([
    incrementBoth(ids, between),
    incrementBoth(ids.toReversed(), between),
  ]);
  expect(attempts.sort()).toEqual([1, 2]);
  for (const id of ids) {
    expect((await here.coupons.find(id))?.version).toBe(3);
  }
});

test('what fails for another reason is tried once, leaves nothing, and tells why', async () => {
  const { id } = await here.createCoupon();
  let attempts = 0;
  const work = inTransaction(here.connection, async (manager) => {
    attempts += 1;
    await manager.query('UPDATE coupon SET version = 99 WHERE id = ?', [id]);
    throw new Error('changed my mind');
  });
  await expect(work).rejects.toThrow('changed my mind');
  expect(attempts).toBe(1);
  expect((await here.coupons.find(id))?.version).toBe(1);
});
