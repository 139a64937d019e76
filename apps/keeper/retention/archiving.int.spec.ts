import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { aRequestRecord } from '../../../test/harness/fixtures.ts';
import { keptLines } from '../../../test/harness/kept-lines.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { openTestStores } from '../../../test/harness/stores/test-stores.ts';
import { CouponAdministration } from '#administration/coupon-administration.ts';
import { CouponArchive } from '#administration/coupon-archive.ts';
import { GateKeyspace } from '#gate/gate-keyspace.ts';
import { ArchivedCoupons } from '#ledger/coupons/archived-coupons.ts';
import { Archiving } from './archiving.ts';

const { ledger, here, log } = openTestStores();
const { coupons } = ledger;
const archived = new ArchivedCoupons(ledger.connection);
const archive = new CouponArchive(coupons, archived, here.gate, log.issuers);
const administration = new CouponAdministration(coupons, here.gate);
const never = new AbortController().signal;
const { lines, logger } = keptLines();

beforeEach(() => {
  lines.length = 0;
});
beforeAll(() => log.commitAll());

function archivingAfter(ms: number, by = archive): Archiving {
  const keyspace = new GateKeyspace(here.connection, here.prefix);
  return new Archiving(by, archived, coupons, here.gate, keyspace, ms, logger);
}

async function openCoupon(closesAt: number | null = null): Promise<number> {
  const coupon = await ledger.createCoupon({ closesAt });
  await here.rebuild(coupon, []);
  return coupon.id;
}

/** As if the last change of every coupon had been so long ago. */
async function letPass(ms: number): Promise<void> {
  await ledger.query('UPDATE coupon_change SET changed_at = changed_at - ?', [ms]);
}

async function isArchived(...couponIds: number[]): Promise<boolean[]> {
  const found = await Promise.all(couponIds.map((id) => coupons.find(id)));
  return found.map((coupon) => coupon!.archivedAt !== null);
}

test('coupons are archived some time after they were closed, or after they closed by themselves', async () => {
  const hourMs = 3_600_000;
  const now = await here.gate.now();
  const closed = await openCoupon();
  await administration.close(closed);
  const ended = await openCoupon(now - 2 * hourMs);
  const justEnded = await openCoupon(now - 1_000);
  const running = await openCoupon();
  const all = [closed, ended, justEnded, running];

  await archivingAfter(hourMs).archiveEnded(never);
  expect(await isArchived(...all)).toEqual([false, false, false, false]);
  await letPass(hourMs);
  await archivingAfter(0).archiveEnded(never);
  expect(await isArchived(...all)).toEqual([false, false, false, false]);
  await archivingAfter(hourMs).archiveEnded(never);
  expect(await isArchived(...all)).toEqual([true, true, false, false]);
  expect(lines).toMatchObject([{ archived: 2, kept: {}, msg: 'archived coupons that have ended' }]);

  // Who unarchives one wants it for a while.
  await archived.unarchive((await coupons.find(closed))!);
  await archivingAfter(hourMs).archiveEnded(never);
  expect(await isArchived(closed)).toEqual([false]);
});

test('one that cannot be archived holds up no other', async () => {
  const [first, broken, last] = [await openCoupon(), await openCoupon(), await openCoupon()];
  for (const id of [first, broken, last]) {
    await administration.close(id);
  }
  await here.raw.set(here.keys(broken).pending, 'no sorted set');
  await letPass(2_000);
  await archivingAfter(1_000).archiveEnded(AbortSignal.abort());
  expect(await isArchived(first, broken, last)).toEqual([false, false, false]);
  lines.length = 0;
  await archivingAfter(1_000).archiveEnded(never);
  expect(await isArchived(first, broken, last)).toEqual([true, false, true]);
  expect(lines.at(-1)).toMatchObject({ kept: { [broken]: expect.any(String) as string } });
});

test('a gate that an archiving left behind is found, and no other is touched', async () => {
  const [left, live] = [await openCoupon(), await openCoupon()];
  await administration.close(left);
  await administration.close(live);
  await archived.archive((await coupons.find(left))!);
  const touched = new Set<unknown>();
  const watched = withStepsBefore(archive, async (_, couponId) => void touched.add(couponId));
  const archiving = archivingAfter(0, watched);
  const keys = (): Promise<number> => here.raw.exists(here.keys(left).meta);
  await expect
    .poll(async () => {
      await archiving.removeLeftovers();
      return keys();
    })
    .toBe(0);
  expect(await here.gate.inspect(live)).toMatchObject({ gate: 'open' });
  expect(touched).toEqual(new Set([left]));
  expect(lines).toMatchObject([{ coupon_id: left, msg: 'removed the gate of an archived coupon' }]);

  // One that is gone before it is removed is not told of, and one that cannot be is named.
  await here.rebuild((await coupons.find(left))!, []);
  const failing = withStepsBefore(archive, async (_, couponId) => {
    if (couponId === left) {
      throw new Error('no reply');
    }
  });
  await expect
    .poll(() => archivingAfter(0, failing).removeLeftovers().then(String, String))
    .toBe(`Error: coupon ${left}: no reply`);
});

test('what the issuers have not decided yet is kept after 5 s, and by a keeper that ends at once', async () => {
  const ids = await Promise.all(Array.from({ length: 6 }, () => openCoupon()));
  for (const id of ids) {
    await administration.close(id);
  }
  await letPass(2_000);
  await log.append(aRequestRecord({ couponId: ids[0]! }));
  const ending = AbortSignal.timeout(200);
  // The time of a slice comes when the test says so.
  const limit = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(never);
  await archivingAfter(1_000).archiveEnded(ending);
  expect(limit).toHaveBeenLastCalledWith(5_000);
  limit.mockReturnValue(AbortSignal.abort());
  await archivingAfter(1_000).archiveEnded(never);
  limit.mockRestore();
  expect(await isArchived(...ids)).toEqual(ids.map(() => false));
  // As many are named as a person reads.
  expect(
    lines.map(({ archived: count, kept }) => [count, Object.keys(kept as object).length]),
  ).toEqual([
    [0, 5],
    [0, 5],
  ]);

  await log.commitAll();
  await archivingAfter(1_000).archiveEnded(never);
  expect(await isArchived(...ids)).toEqual(ids.map(() => true));
});
