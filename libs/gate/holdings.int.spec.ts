import { afterAll, beforeAll, expect, test } from 'vitest';
import { userIds } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { Holdings } from './holdings.ts';

const here = new TestGate();
const holdings = new Holdings(here.connection, here.prefix);
let history: string;

beforeAll(async () => {
  await here.start();
  ({ history } = await holdings.moment());
});
afterAll(() => here.close());

test('tells what each user holds, gate by gate, of more gates than go in one trip', async () => {
  const coupons = await Promise.all(Array.from({ length: 230 }, () => here.openCoupon()));
  const [first, , last] = [coupons[0]!, coupons[1]!, coupons.at(-1)!];
  const ids = [await here.take(first.id, 'ann'), await here.take(last.id, 'ann')];
  const { told, isWhole } = await holdings.heldBy(['bob', 'ann'], coupons, history);
  expect(isWhole).toBe(true);
  expect(told).toEqual([
    [],
    [
      { couponId: first.id, issuanceId: ids[0], epoch: 1 },
      { couponId: last.id, issuanceId: ids[1], epoch: 1 },
    ],
  ]);
});

test('takes for confirmed what is, and neither what is pending nor what was given back', async () => {
  const { id, epoch } = await here.openCoupon();
  const coupons = [{ id, epoch }];
  const users = userIds(3);
  const reserved = await Promise.all(
    users.map(async (userId) => ({ userId, issuanceId: await here.take(id, userId) })),
  );
  const [pending, confirmed, released] = reserved as [Held, Held, Held];
  await here.gate.confirm(id, epoch, [confirmed, released]);
  const { told } = await holdings.heldBy(users, coupons, history);
  await here.gate.release(id, epoch, [released]);
  const answers = await Promise.all(
    users.map((userId, i) => holdings.confirmed(userId, told[i]!, history)),
  );
  expect(answers).toEqual([
    { told: [], isWhole: true },
    { told: told[1], isWhole: true },
    { told: [], isWhole: true },
  ]);
  expect(told.map(([held]) => held!.issuanceId)).toEqual(
    [pending, confirmed, released].map(({ issuanceId }) => issuanceId),
  );
});

test.each([
  ['gone', (id: number) => here.raw.unlink(here.keys(id).meta)],
  ['of another run of Redis', (id: number) => here.breakRunId(id)],
  ['of another history', (id: number) => here.raw.hset(here.keys(id).meta, 'replid', 'other')],
  ['fenced by a recovery', (id: number) => here.gate.fence(id, 2)],
])('believes no gate that is %s, and says that something may be missing', async (_, shut) => {
  const { id, epoch } = await here.openCoupon();
  const issuanceId = await here.take(id, 'ann');
  await here.gate.confirm(id, epoch, [{ userId: 'ann', issuanceId }]);
  const gates = [{ id, epoch }];
  const before = await holdings.heldBy(['ann'], gates, history);
  expect(before).toMatchObject({ isWhole: true, told: [[{ issuanceId }]] });
  await shut(id);
  expect(await holdings.heldBy(['ann'], gates, history)).toEqual({ isWhole: false, told: [[]] });
  expect(await holdings.confirmed('ann', before.told[0]!, history)).toEqual({
    isWhole: false,
    told: [],
  });
});

test('believes no gate of an older epoch than MySQL has, nor what it said in another one', async () => {
  const coupon = await here.openCoupon();
  await here.take(coupon.id, 'ann');
  expect(await holdings.heldBy(['ann'], [{ ...coupon, epoch: 2 }], history)).toEqual({
    isWhole: false,
    told: [[]],
  });
  const { told } = await holdings.heldBy(['ann'], [coupon], history);
  const [held] = told[0]!;
  await here.rebuild({ ...coupon, epoch: 2 }, [{ userId: 'ann', issuanceId: held!.issuanceId }]);
  // Not pending any more, and yet nobody has confirmed it as it was.
  expect(await holdings.confirmed('ann', [held!], history)).toEqual({ isWhole: false, told: [] });
});

interface Held {
  userId: string;
  issuanceId: string;
}
