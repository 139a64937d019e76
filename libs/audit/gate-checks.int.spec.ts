import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aRequest, anIssuanceId, userIds } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { HeldIssuance } from '#gate/gate.ts';
import { inSlices } from '#platform/work/slices.ts';
import { checkHolderCounts, checkHolders, checkStock } from './gate-checks.ts';

const ledger = new TestLedger();
const here = new TestGate();

beforeAll(async () => {
  await ledger.start();
  await here.start();
});
afterAll(async () => {
  await ledger.close();
  await here.close();
});

/** A coupon whose holders, decided in MySQL, are these at the gate: the same, if none are given. */
async function couponWith(
  users: string[],
  atGate?: (decided: HeldIssuance[]) => HeldIssuance[],
): Promise<{ coupon: Coupon; idOf: Map<string, string> }> {
  const coupon = await ledger.createCoupon({ total: 2_000 });
  const requests = users.map((userId) => aRequest({ couponId: coupon.id, userId }));
  for (const chunk of inSlices(requests, 500)) {
    await ledger.issuances.decideChunk(chunk);
  }
  const decided = requests.map(({ userId, issuanceId }) => ({
    userId,
    issuanceId,
  }));
  await here.rebuild(coupon, atGate === undefined ? decided : atGate(decided));
  return { coupon, idOf: new Map(decided.map((one) => [one.userId, one.issuanceId])) };
}

async function violationsOfHolders(...coupons: Coupon[]): Promise<string[]> {
  return (await checkHolders(here.gate, ledger.issuances, coupons)).violations;
}

test('stores that agree hold I4 and I5', async () => {
  const coupons = [
    (await couponWith(userIds(1_203), (all) => all.slice(0, 500)).then(addTheRest)).coupon,
    (await couponWith([])).coupon,
    (await couponWith(['User1', 'user1', '🎟'])).coupon,
  ];
  const stock = await checkStock(here.gate, coupons);
  expect(stock).toEqual({ invariant: 'I4', violations: [], checked: 3 });
  const holders = await checkHolders(here.gate, ledger.issuances, coupons);
  expect(holders).toEqual({ invariant: 'I5', violations: [], checked: 1_206 });
});

/** More than one script may stage at once. */
async function addTheRest(made: Awaited<ReturnType<typeof couponWith>>): Promise<typeof made> {
  const { coupon, idOf } = made;
  await here.raw.hset(here.keys(coupon.id).holders, idOf);
  const left = coupon.total - idOf.size;
  await here.raw.hset(here.keys(coupon.id).meta, 'left', left);
  return made;
}

describe('I4', () => {
  test('is violated by stock that drifted', async () => {
    const { coupon } = await couponWith(['ann']);
    await here.raw.hincrby(here.keys(coupon.id).meta, 'left', 3);
    expect((await checkStock(here.gate, [coupon])).violations).toEqual([
      `coupon ${coupon.id}: 2002 left + 1 held is not 2000`,
    ]);
  });

  test('is violated by holders that were lost', async () => {
    const { coupon } = await couponWith(['ann', 'bob']);
    await here.raw.hdel(here.keys(coupon.id).holders, 'bob');
    expect((await checkStock(here.gate, [coupon])).violations).toEqual([
      `coupon ${coupon.id}: 1998 left + 1 held is not 2000`,
    ]);
  });

  test('is violated by a coupon without a gate', async () => {
    const coupon = await ledger.createCoupon();
    expect((await checkStock(here.gate, [coupon])).violations).toEqual([
      `coupon ${coupon.id}: it has no gate`,
    ]);
  });

  test('is not judged by a gate that a recovery is filling, where it may be shut', async () => {
    const coupon = await ledger.createCoupon();
    await here.raw.hset(here.keys(coupon.id).holders, { ann: anIssuanceId() });
    const { violations } = await checkStock(here.gate, [coupon], { mayBeShut: true });
    expect(violations).toEqual([]);
  });

  test('is violated by a gate that is shut', async () => {
    const { coupon } = await couponWith(['ann']);
    await here.gate.fence(coupon.id, 2);
    expect((await checkStock(here.gate, [coupon])).violations).toEqual([
      `coupon ${coupon.id}: its gate is shut, a recovery is due`,
    ]);
  });
});

describe('I5', () => {
  test('is violated by a holder at the gate only', async () => {
    const only = { userId: 'eve', issuanceId: anIssuanceId() };
    const { coupon } = await couponWith(['ann'], (decided) => [...decided, only]);
    expect(await violationsOfHolders(coupon)).toEqual([
      `coupon ${coupon.id}, user "eve": the gate has ${only.issuanceId}, MySQL nothing`,
    ]);
  });

  test('is violated by a holder in MySQL only', async () => {
    const { coupon, idOf } = await couponWith(['ann', 'bob'], (decided) => decided.slice(0, 1));
    expect(await violationsOfHolders(coupon)).toEqual([
      `coupon ${coupon.id}, user "bob": MySQL has ${idOf.get('bob')}, the gate nothing`,
    ]);
  });

  test('is violated by a holder with another id', async () => {
    const other = anIssuanceId();
    const { coupon, idOf } = await couponWith(['ann'], () => [
      { userId: 'ann', issuanceId: other },
    ]);
    expect(await violationsOfHolders(coupon)).toEqual([
      `coupon ${coupon.id}, user "ann": MySQL has ${idOf.get('ann')}, the gate ${other}`,
    ]);
  });

  test('is violated although there are as many on either side', async () => {
    const { coupon } = await couponWith(['ann'], ([anns]) => [{ ...anns!, userId: 'Ann' }]);
    expect(await violationsOfHolders(coupon)).toHaveLength(1);
  });

  test('is violated by each coupon, one among thousands of holders included', async () => {
    const good = (await couponWith(['ann'])).coupon;
    const { coupon: bad, idOf } = await couponWith(userIds(1_100), (all) => all.slice(0, 500)).then(
      addTheRest,
    );
    await here.raw.hdel(here.keys(bad.id).holders, 'user-1042');
    expect(await violationsOfHolders(good, bad)).toEqual([
      `coupon ${bad.id}, user "user-1042": MySQL has ${idOf.get('user-1042')}, the gate nothing`,
    ]);
  });
});

test('I5 by counts tells of each coupon that holds more or fewer than MySQL has issued', async () => {
  const good = (await couponWith(['ann'])).coupon;
  const more = (await couponWith([], () => [{ userId: 'eve', issuanceId: anIssuanceId() }])).coupon;
  const fewer = (await couponWith(['ann', 'bob'], (decided) => decided.slice(1))).coupon;
  const coupons = await Promise.all(
    [good, more, fewer].map(async ({ id }) => (await ledger.coupons.find(id))!),
  );
  expect(await checkHolderCounts(here.gate, coupons)).toEqual({
    invariant: 'I5',
    violations: [
      `coupon ${more.id}: the gate holds 1, MySQL has issued 0`,
      `coupon ${fewer.id}: the gate holds 1, MySQL has issued 2`,
    ],
    checked: 3,
    couponIds: [more.id, fewer.id],
  });
});
