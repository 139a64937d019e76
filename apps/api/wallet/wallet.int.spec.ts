import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { aRequest } from '../../../test/harness/fixtures.ts';
import { silentFailures } from '../../../test/harness/silent-failures.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { TestGate } from '../../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { AssignLimits } from '#admission/assign-coupon.ts';
import { Holdings } from '#gate/holdings.ts';
import type { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { CouponCatalogue } from '../coupon/coupon-catalogue.ts';
import { UnitsUnderWay } from './units-under-way.ts';
import type { WalletPage } from './wallet.ts';
import { Wallet } from './wallet.ts';

const ledger = new TestLedger();
const here = new TestGate();
let users = 0;
let userId: string;

beforeAll(() => Promise.all([ledger.start(), here.start()]));
beforeEach(() => {
  users += 1;
  userId = `user-${users}`;
});
afterAll(() => Promise.all([ledger.close(), here.close()]));

function walletOf(issuances: IssuanceLedger = ledger.issuances): Wallet {
  const underWay = new UnitsUnderWay(
    new CouponCatalogue(ledger.coupons, here.gate),
    new Holdings(here.connection, here.prefix),
    silentFailures(),
    new AssignLimits(100, 10_000),
  );
  return new Wallet(underWay, issuances);
}

/** Reserved by the user, at the gate of a new coupon. */
async function reserved(): Promise<{ couponId: number; issuanceId: string }> {
  const coupon = await ledger.createCoupon();
  await here.openCoupon(coupon);
  return { couponId: coupon.id, issuanceId: await here.take(coupon.id, userId) };
}

async function accepted(): Promise<{ couponId: number; issuanceId: string }> {
  const unit = await reserved();
  await here.gate.confirm(unit.couponId, 1, [{ userId, issuanceId: unit.issuanceId }]);
  return unit;
}

async function decide({ couponId, issuanceId }: { couponId: number; issuanceId: string }) {
  await ledger.issuances.decideChunk([aRequest({ couponId, issuanceId, userId })]);
}

const all = (...units: object[]): WalletPage =>
  ({ units, next: null, isComplete: true }) as WalletPage;

test('has a unit from the moment on at which it is confirmed, not before, and once it is issued', async () => {
  const unit = await reserved();
  expect(await walletOf().page(userId, 100)).toEqual(all());
  await here.gate.confirm(unit.couponId, 1, [{ userId, issuanceId: unit.issuanceId }]);
  expect(await walletOf().page(userId, 100)).toEqual(all(unit));
  await decide(unit);
  expect(await walletOf().page(userId, 100)).toEqual(
    all({ ...unit, issued: expect.objectContaining({ status: 'ISSUED' }) }),
  );
});

test('has nothing that MySQL has refused, though the gate still holds it', async () => {
  const unit = await accepted();
  const request = aRequest({ ...unit, userId });
  await ledger.query('UPDATE coupon SET applied_epoch = 2 WHERE id = ?', [unit.couponId]);
  const { decisions } = await ledger.issuances.decideChunk([request]);
  expect(decisions[0]!.status).toBe('REFUSED');
  expect(await here.gate.heldBy(unit.couponId, [userId])).toEqual([unit.issuanceId]);
  expect(await walletOf().page(userId, 100)).toEqual(all());
});

test.each(['listByUser', 'findStatuses'])(
  'misses nothing that is issued while it is read: before %s',
  async (step) => {
    const unit = await accepted();
    const issuances = withStepsBefore(ledger.issuances, async (name) => {
      if (name === step) {
        await decide(unit);
      }
    });
    const { units } = await walletOf(issuances).page(userId, 100);
    expect(units).toEqual([{ ...unit, issued: expect.objectContaining({ status: 'ISSUED' }) }]);
  },
);

test('pages through what is accepted and what is issued in the order of their ids', async () => {
  const units = [];
  for (let i = 0; i < 5; i += 1) {
    units.push(await accepted());
  }
  // Any of them may be decided first.
  await decide(units[1]!);
  await decide(units[4]!);
  const seen: string[] = [];
  for (let after: string | undefined = ''; ;) {
    const page = await walletOf().page(userId, 2, after);
    expect(page.units.length).toBeLessThanOrEqual(2);
    seen.push(...page.units.map(({ issuanceId }) => issuanceId));
    if (page.next === null) {
      break;
    }
    after = page.next;
    await decide(units[seen.length]!);
  }
  expect(seen).toEqual(units.map(({ issuanceId }) => issuanceId).toSorted());
});
