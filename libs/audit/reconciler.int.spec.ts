import { beforeAll, expect, test } from 'vitest';
import { aRequest, anIssuanceId, userIds } from '../../test/harness/fixtures.ts';
import { openTestStores } from '../../test/harness/stores/test-stores.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { Comparison } from './reconciler.ts';
import { Reconciler } from './reconciler.ts';

const { ledger, here, log } = openTestStores();
let reconciler: Reconciler;

beforeAll(async () => {
  reconciler = new Reconciler(ledger.connection, here.gate, log.issuers);
});

function compare(coupon: Coupon): Promise<Comparison> {
  return reconciler.compare(coupon, { waitMs: 500 });
}

/** A coupon of ten units whose gate holds what is issued. */
async function couponIssuedTo(...users: string[]): Promise<[Coupon, Record<string, string>]> {
  const coupon = await ledger.createCoupon({ total: 10 });
  const requests = users.map((userId) => aRequest({ couponId: coupon.id, userId }));
  if (requests.length > 0) {
    await ledger.issuances.decideChunk(requests);
  }
  const held = requests.map(({ issuanceId, userId }) => [userId, issuanceId] as const);
  await here.rebuild(
    coupon,
    held.map(([userId, issuanceId]) => ({ userId, issuanceId })),
  );
  return [coupon, Object.fromEntries(held)];
}

/** Another hand writes into Redis, and keeps left + held = total. */
async function plant({ id, total }: Coupon, holders: Record<string, string>): Promise<void> {
  const keys = here.keys(id);
  await here.raw.del(keys.holders);
  await here.raw.hset(keys.holders, holders);
  await here.raw.hset(keys.meta, 'left', total - Object.keys(holders).length);
}

test('a gate that holds what is issued does not differ', async () => {
  const [coupon] = await couponIssuedTo('ann', 'User1', 'user1', '🎟');
  const same = { couponId: coupon.id, epoch: 1, differences: [], remedy: 'none' };
  expect(await compare(coupon)).toEqual(same);
});

test('each kind of holder that differs is shown, and nothing is changed', async () => {
  const [coupon, issued] = await couponIssuedTo('ann', 'bob', 'eve');
  const [other, ghost] = [anIssuanceId(), anIssuanceId()];
  const planted = { ann: issued['ann']!, bob: other, zoe: ghost, joe: 'no id' };
  await plant(coupon, planted);

  const { differences, remedy } = await compare(coupon);
  expect(differences.toSorted()).toEqual([
    `user "bob": MySQL has ${issued['bob']}, the gate ${other}`,
    `user "eve": MySQL has ${issued['eve']}, the gate nothing`,
    'user "joe": the gate has no id, MySQL nothing',
    `user "zoe": the gate has ${ghost}, MySQL nothing`,
  ]);
  expect(remedy).toBe('rebuild');
  expect(await here.raw.hgetall(here.keys(coupon.id).holders)).toEqual(planted);
  expect(await here.gate.inspect(coupon.id)).toMatchObject({ gate: 'open', epoch: 1 });
});

test('an id of another user is no record of this one', async () => {
  const [coupon, issued] = await couponIssuedTo('ann');
  await plant(coupon, { ann: issued['ann']!, zoe: issued['ann']! });
  const { differences } = await compare(coupon);
  expect(differences).toEqual([`user "zoe": the gate has ${issued['ann']}, MySQL nothing`]);
});

test('of many, the first twenty are told and the rest counted', async () => {
  const [coupon] = await couponIssuedTo();
  await ledger.query('UPDATE coupon SET total = 7000 WHERE id = ?', [coupon.id]);
  await here.raw.hset(here.keys(coupon.id).meta, 'total', 7_000);
  const ghosts = userIds(6_001, 'ghost').map((userId) => [userId, anIssuanceId()]);
  await plant({ ...coupon, total: 7_000 }, Object.fromEntries(ghosts));
  const { differences } = await compare(coupon);
  expect(differences).toHaveLength(21);
  expect(differences.at(-1)).toBe('… and 5981 more');
});

test('what is pending, or in the log and not decided, is on its way and no difference', async () => {
  const [coupon] = await couponIssuedTo('ann');
  const pending = await here.take(coupon.id, 'bob');
  expect(await compare(coupon)).toMatchObject({ differences: [], remedy: 'none' });

  const reservation = {
    ...aRequest({ couponId: coupon.id, userId: 'bob', issuanceId: pending }),
    kafkaPartition: 0,
  };
  await log.log.publishRequests([reservation]);
  await here.gate.confirm(coupon.id, 1, [reservation]);
  const busy = await compare(coupon);
  expect(busy).toMatchObject({ differences: [], remedy: 'none' });
  expect(busy.busy).toContain('have not come to the end of partition 0');

  await ledger.issuances.decideChunk([reservation]);
  await log.commitAll();
  expect(await compare(coupon)).not.toHaveProperty('busy');
});

test('a unit that was refused and never given back is shown as such', async () => {
  const [coupon] = await couponIssuedTo('ann');
  const request = aRequest({ couponId: coupon.id, userId: 'bob', epoch: 0 });
  await ledger.issuances.decideChunk([request]);
  await here.raw.hset(here.keys(coupon.id).holders, 'bob', request.issuanceId);
  await here.raw.hincrby(here.keys(coupon.id).meta, 'left', -1);
  expect((await compare(coupon)).differences).toEqual([
    `user "bob": the gate has ${request.issuanceId}, MySQL has refused it`,
  ]);
});

test('terms behind MySQL are applied to the open gate, without shutting it', async () => {
  const [coupon] = await couponIssuedTo('ann');
  await ledger.coupons.change(coupon.id, {
    action: 'set-total',
    asRead: 1,
    version: 2,
    total: 20,
  });
  const seen = await compare(coupon);
  expect(seen.differences).toEqual([
    'version: MySQL has 2, the gate 1',
    'total: MySQL has 20, the gate 10',
  ]);
  expect(seen.remedy).toBe('apply-terms');

  expect(await reconciler.repair(seen, 500)).toBeUndefined();
  const gate = { gate: 'open', epoch: 1, version: 2, total: 20, left: 19 };
  expect(await here.gate.inspect(coupon.id)).toMatchObject(gate);
  expect((await compare(coupon)).differences).toEqual([]);
});

test('terms that differ in the same version need a gate that is rebuilt', async () => {
  const [coupon] = await couponIssuedTo('ann');
  await here.raw.hset(here.keys(coupon.id).meta, { state: 'paused', closes_at: 9 });
  expect(await compare(coupon)).toMatchObject({
    differences: [
      'state: MySQL has open, the gate paused',
      'closes_at: MySQL has none, the gate 9',
    ],
    remedy: 'rebuild',
  });
});

test('a change that reaches the gate while it is looked at is no difference', async () => {
  const [coupon] = await couponIssuedTo('ann');
  await ledger.coupons.change(coupon.id, {
    action: 'pause',
    asRead: 1,
    version: 2,
    state: 'paused',
  });
  const comparing = compare(coupon);
  await here.gate.applyCoupon((await ledger.coupons.find(coupon.id))!);
  expect(await comparing).toMatchObject({ differences: [], remedy: 'none' });
});

test('a gate that is shut, absent or miscounts is shown, and left to the keeper', async () => {
  const shut = (await couponIssuedTo('ann'))[0];
  await here.breakRunId(shut.id);
  const miscounted = (await couponIssuedTo('ann'))[0];
  await here.raw.hincrby(here.keys(miscounted.id).meta, 'left', 2);
  const absent = await ledger.createCoupon();
  const seen = await Promise.all([shut, miscounted, absent].map(compare));
  expect(seen.map(({ differences }) => differences)).toEqual([
    ['its gate is shut: a recovery is due'],
    ['its gate is shut, 11 left + 1 held is not 10: a recovery is due'],
    ['it has no gate: a recovery is due'],
  ]);
  expect(seen.map(({ remedy }) => remedy)).toEqual(seen.map(() => 'await-recovery'));
});

test('a repair shuts the gate it judged, and says who must open it when nobody does', async () => {
  const [coupon] = await couponIssuedTo('ann');
  await plant(coupon, { zoe: anIssuanceId() });
  const seen = await compare(coupon);
  expect(await reconciler.repair(seen, 200)).toContain('start a keeper and an issuer');
  expect(await here.gate.inspect(coupon.id)).toMatchObject({ gate: 'fenced', minEpoch: 2 });
  expect((await here.gate.reserve(coupon.id, ['bob'])).gate).toBe('fenced');
});

test('a repair leaves a gate alone that was rebuilt since it was judged', async () => {
  const [coupon, issued] = await couponIssuedTo('ann');
  await plant(coupon, { zoe: anIssuanceId() });
  const seen = await compare(coupon);
  await here.gate.fence(coupon.id, 2);
  const holders = [{ userId: 'ann', issuanceId: issued['ann']! }];
  await here.rebuild({ ...coupon, epoch: 2 }, holders);

  expect(await reconciler.repair(seen, 200)).toBeUndefined();
  expect(await here.gate.inspect(coupon.id)).toMatchObject({ gate: 'open', epoch: 2 });
});

test('a gate that is shut while it is compared is not judged', async () => {
  const [coupon] = await couponIssuedTo('ann');
  await plant(coupon, { zoe: anIssuanceId() });
  await log.append({ v: 1, type: 'undecided' }, coupon.kafkaPartition);
  const comparing = compare(coupon);
  await here.gate.fence(coupon.id, 2);
  const busy = 'its gate was shut meanwhile';
  expect(await comparing).toMatchObject({ differences: [], busy, remedy: 'none' });
  await log.commitAll();
});
