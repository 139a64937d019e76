import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aRequest, anIssuanceId, userIds } from '../../test/harness/fixtures.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import { AuditQueries } from '#ledger/audit-queries.ts';
import { bytesToUuid, uuidToBytes } from '#ledger/uuid-bytes.ts';
import { RedemptionLedger } from '#ledger/redemption-ledger.ts';
import { checkOnePerUser, checkRedemptions, checkTotals } from './ledger-checks.ts';

let here: TestLedger;
let queries: AuditQueries;
let couponId: number;

/** A database a test: what is planted is not taken back. Three of ten are issued, one is refused. */
beforeEach(async () => {
  here = new TestLedger();
  await here.start();
  queries = new AuditQueries(here.connection);
  ({ id: couponId } = await here.createCoupon());
  const users = [...userIds(3), 'user-1'];
  await here.issuances.decideChunk(users.map((userId) => aRequest({ couponId, userId })));
});
afterEach(() => here.close());

test('a ledger that nobody meddled with holds I1 and I2', async () => {
  await here.createCoupon({ total: 0 });
  expect(await checkTotals(queries)).toEqual({ invariant: 'I1', violations: [], checked: 2 });
  expect(await checkOnePerUser(queries)).toEqual({ invariant: 'I2', violations: [], checked: 3 });
});

describe('I1', () => {
  test('is violated by a coupon that was issued more often than its total', async () => {
    await here.query('ALTER TABLE coupon DROP CONSTRAINT issued_within_total');
    await here.query('UPDATE coupon SET total = 2 WHERE id = ?', [couponId]);
    expect((await checkTotals(queries)).violations).toEqual([`coupon ${couponId}: 3 issued of 2`]);
  });

  test('is violated by rows behind the back of the count', async () => {
    await here.plantIssuance(aRequest({ couponId, userId: 'sneaked in' }));
    expect((await checkTotals(queries)).violations).toEqual([
      `coupon ${couponId}: its row says 3 issued, there are 4`,
    ]);
  });

  test('is violated by rows that are gone', async () => {
    await here.query('DELETE FROM issuance WHERE user_id = ?', [Buffer.from('user-2')]);
    expect((await checkTotals(queries)).violations).toEqual([
      `coupon ${couponId}: its row says 3 issued, there are 2`,
    ]);
  });

  test('is checked for each coupon', async () => {
    const { id: otherId } = await here.createCoupon();
    await here.query('UPDATE coupon SET issued = 1 WHERE id = ?', [otherId]);
    expect((await checkTotals(queries)).violations).toEqual([
      `coupon ${otherId}: its row says 1 issued, there are 0`,
    ]);
  });
});

describe('I2', () => {
  test('is violated by a user who has two of one coupon', async () => {
    await here.query('ALTER TABLE issuance DROP INDEX coupon_user');
    await here.plantIssuance(aRequest({ couponId, userId: 'user-2' }));
    expect((await checkOnePerUser(queries)).violations).toEqual([
      `coupon ${couponId}: user "user-2" has 2`,
    ]);
  });

  test('holds for one who has one of each of two coupons, and for ids that differ by case', async () => {
    await here.query('ALTER TABLE issuance DROP INDEX coupon_user');
    const { id: otherId } = await here.createCoupon();
    await here.plantIssuance(aRequest({ couponId: otherId, userId: 'user-2' }));
    await here.plantIssuance(aRequest({ couponId, userId: 'USER-2' }));
    expect((await checkOnePerUser(queries)).violations).toEqual([]);
  });
});

describe('I8', () => {
  const redeemedAt = 1_790_000_000_000;
  const plant = (issuanceId: string, at = redeemedAt): Promise<unknown> =>
    here.query('INSERT INTO redemption (issuance_id, redeemed_at) VALUES (?, ?)', [
      uuidToBytes(issuanceId),
      at,
    ]);

  /** The id of what `user-2` was issued. */
  async function issuedId(): Promise<string> {
    return (await here.issuances.listByUser('user-2', 1))[0]!.issuanceId;
  }

  test('holds for what was redeemed in time, also when its coupon is over since', async () => {
    const issuanceId = await issuedId();
    const redemptions = new RedemptionLedger(here.connection, here.issuances);
    expect((await redemptions.redeem([{ issuanceId }]))[0]!.isNew).toBe(true);
    const over = { action: 'set-times', asRead: 1, version: 2, validUntil: 1 } as const;
    expect(await here.coupons.change(couponId, over)).toBe(true);
    expect(await checkRedemptions(queries)).toEqual({
      invariant: 'I8',
      violations: [],
      checked: 1,
    });
  });

  test('is violated by what was redeemed and not issued: of nobody, or refused', async () => {
    const [refused] = await here.query<{ id: Buffer }>('SELECT issuance_id AS id FROM refusal');
    const ids = [anIssuanceId(), bytesToUuid(refused!.id)];
    for (const id of ids) {
      await plant(id);
    }
    expect((await checkRedemptions(queries)).violations.toSorted()).toEqual(
      ids.map((id) => `issuance ${id}: redeemed and not issued`).toSorted(),
    );
  });

  test('is violated by what was redeemed when it was valid no more', async () => {
    const issuanceId = await issuedId();
    await here.query('UPDATE coupon SET valid_until = ? WHERE id = ?', [redeemedAt, couponId]);
    await plant(issuanceId, redeemedAt + 1_000);
    const finding = await checkRedemptions(queries);
    expect(finding.violations).toEqual([
      `issuance ${issuanceId}: redeemed at 2026-09-21T14:13:21.000Z, coupon ${couponId} was valid until 2026-09-21T14:13:20.000Z`,
    ]);
    expect(finding.couponIds).toEqual([couponId]);
  });

  test('is violated by what was redeemed twice', async () => {
    await here.query('ALTER TABLE redemption DROP PRIMARY KEY');
    const issuanceId = await issuedId();
    await plant(issuanceId);
    await plant(issuanceId);
    expect((await checkRedemptions(queries)).violations).toEqual([
      `issuance ${issuanceId}: redeemed 2 times`,
    ]);
  });
});
