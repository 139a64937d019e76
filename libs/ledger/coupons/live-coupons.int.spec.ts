import { afterAll, beforeAll, expect, test } from 'vitest';
import { aRequest } from '../../../test/harness/fixtures.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { ArchivedCoupons } from './archived-coupons.ts';
import { LiveCoupons } from './live-coupons.ts';

const here = new TestLedger();
const { coupons } = here;
const archived = new ArchivedCoupons(here.connection);

beforeAll(() => here.start());
afterAll(() => here.close());

test('are read again when one is made, changed, recovered, archived or comes back, and only then', async () => {
  const live = new LiveCoupons(coupons);
  const { id } = await here.createCoupon();
  let before = await live.read();
  const expectAnother = async (): Promise<void> => {
    const now = await live.read();
    expect(now).not.toBe(before);
    before = now;
  };
  expect(before.map((coupon) => coupon.id)).toEqual([id]);

  await here.issuances.decideChunk([aRequest({ couponId: id })]);
  expect(await live.read()).toBe(before);

  const close = { action: 'close', state: 'closed', asRead: 1, version: 2 } as const;
  await coupons.change(id, close);
  await expectAnother();
  expect(before[0]).toMatchObject({ state: 'closed', version: 2 });
  await coupons.raiseEpochs([id], async () => new Map([[id, 1]]));
  await expectAnother();
  expect(before[0]).toMatchObject({ epoch: 2 });
  await archived.archive((await coupons.find(id))!);
  await expectAnother();
  expect(before).toEqual([]);
  await archived.unarchive((await coupons.find(id))!);
  await expectAnother();
  expect(before).toHaveLength(1);
  await here.createCoupon();
  await expectAnother();
});
