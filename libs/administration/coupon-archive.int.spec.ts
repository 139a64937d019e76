import { beforeAll, describe, expect, test } from 'vitest';
import { openTestStores } from '../../test/harness/stores/test-stores.ts';
import { reservedAtOf } from '#coupon/issuance.ts';
import { ArchivedCoupons } from '#ledger/coupons/archived-coupons.ts';
import { CouponAdministration } from './coupon-administration.ts';
import { CouponArchive } from './coupon-archive.ts';

const { ledger, here, log, openCoupon } = openTestStores();
const { coupons } = ledger;
const archived = new ArchivedCoupons(ledger.connection);
const archive = new CouponArchive(coupons, archived, here.gate, log.issuers);
const administration = new CouponAdministration(coupons, here.gate);

beforeAll(() => log.commitAll());

async function closedCoupon(): Promise<number> {
  const { id } = await openCoupon();
  await administration.close(id);
  return id;
}

function keysOf(couponId: number): Promise<number> {
  return here.raw.exists(...Object.values(here.keys(couponId)));
}

/** Why it is not archived. */
async function refusal(couponId: number, waitMs = 5_000): Promise<string | undefined> {
  const kept = await archive.archive([couponId], AbortSignal.timeout(waitMs));
  return kept.get(couponId);
}

describe('archiving', () => {
  test('removes every key of a gate that has ended, and MySQL says when', async () => {
    const id = await closedCoupon();
    expect(await refusal(id)).toBeUndefined();
    expect(await keysOf(id)).toBe(0);
    const coupon = (await coupons.find(id))!;
    expect(Math.abs(coupon.archivedAt! - (await here.gate.now()))).toBeLessThan(60_000);
    expect((await coupons.list()).map((one) => one.id)).not.toContain(id);
    expect(await refusal(id)).toContain('archived already');
  });

  test('leaves alone what may still admit somebody', async () => {
    const { id } = await openCoupon();
    expect(await refusal(id)).toContain('has not ended');
    await administration.pause(id);
    expect(await refusal(id)).toContain('has not ended');
    await administration.close(id);
    await here.breakRunId(id);
    expect(await refusal(id)).toContain('being recovered');
    expect(await keysOf(id)).toBeGreaterThan(0);
  });

  test('waits until what is pending is confirmed, and what is confirmed is decided', async () => {
    const { id: couponId } = await openCoupon();
    const issuanceId = await here.take(couponId, 'ann');
    await administration.close(couponId);
    expect(await refusal(couponId)).toContain('1 of its reservations');

    const reservedAt = reservedAtOf(issuanceId)!;
    const request = { issuanceId, couponId, userId: 'ann', epoch: 1, reservedAt };
    await log.log.publishRequests([{ ...request, kafkaPartition: 0 }]);
    await here.gate.confirm(couponId, 1, [{ issuanceId, userId: 'ann' }]);
    // Nobody has decided it: MySQL could not tell ann what she has.
    expect(await refusal(couponId, 500)).toContain('not come to the end of partition 0');
    expect((await coupons.find(couponId))!.archivedAt).toBeNull();

    await ledger.issuances.decideChunk([request]);
    await log.commitAll();
    expect(await refusal(couponId)).toBeUndefined();
    expect(await ledger.issuances.findHeld([{ couponId, userId: 'ann' }])).toEqual([issuanceId]);
  });

  test('that meets a change or a recovery which came first changes nothing', async () => {
    const id = await closedCoupon();
    const asRead = (await coupons.find(id))!;
    await coupons.raiseEpochs([id], async () => new Map([[id, asRead.epoch]]));
    expect(await archived.archive(asRead)).toBe(false);
    const recovered = (await coupons.find(id))!;
    await coupons.takeVersion(recovered, recovered.version + 1);
    expect(await archived.archive(recovered)).toBe(false);
    expect((await coupons.find(id))!.archivedAt).toBeNull();
  });

  test('is heard by who is late: nothing is confirmed, changed or recovered any more', async () => {
    const id = await closedCoupon();
    const before = (await coupons.find(id))!;
    await archive.archive([id], AbortSignal.timeout(5_000));
    expect(await here.gate.confirm(id, 1, [])).toBe(false);
    expect(await here.gate.reserve(id, ['bob'])).toMatchObject({ gate: 'absent' });
    await here.gate.applyCoupon({ ...before, version: 99 });
    expect(await coupons.raiseEpochs([id], async () => new Map([[id, 1]]))).toEqual(new Map());
    const { version } = (await coupons.find(id))!;
    expect(await coupons.takeVersion({ ...before, version }, version + 1)).toBe(false);
    await expect(administration.setTotal(id, 20)).rejects.toThrow(
      'is archived: unarchive it first',
    );
    expect(await keysOf(id)).toBe(0);
  });
});

describe('the gate of an archived coupon that somebody left behind', () => {
  test('is removed, also when Redis was restarted or has put back an older one', async () => {
    const id = await closedCoupon();
    await archived.archive((await coupons.find(id))!);
    await here.breakRunId(id);
    expect(await archive.removeGate(id)).toBe(true);
    expect(await keysOf(id)).toBe(0);
  });

  test('is kept once the coupon is unarchived', async () => {
    const id = await closedCoupon();
    await archived.archive((await coupons.find(id))!);
    expect((await archive.unarchive(id)).archivedAt).toBeNull();
    expect(await archive.removeGate(id)).toBe(false);
    expect(await here.gate.inspect(id)).toMatchObject({ gate: 'open' });
  });

  test('is kept when it is of a newer epoch than the coupon was archived in', async () => {
    const { id } = await openCoupon();
    await here.gate.fence(id, 5);
    expect(await here.gate.archive(id, 4)).toBe(false);
    expect(await here.gate.archive(id, 5)).toBe(true);
    expect(await keysOf(id)).toBe(0);
  });
});

test('an unarchived coupon has another version, and its history says what was done', async () => {
  const id = await closedCoupon();
  await archive.archive([id], AbortSignal.timeout(5_000));
  const { version } = (await coupons.find(id))!;
  await archived.unarchive((await coupons.find(id))!);
  expect(await coupons.find(id)).toMatchObject({ archivedAt: null, version: version + 1 });
  const rows = await ledger.query<{ action: string }>(
    'SELECT action FROM coupon_change WHERE coupon_id = ? ORDER BY version',
    [id],
  );
  expect(rows.map(({ action }) => action)).toEqual(['create', 'close', 'archive', 'unarchive']);
  await expect(archive.unarchive(id)).rejects.toThrow('is not archived');
});
