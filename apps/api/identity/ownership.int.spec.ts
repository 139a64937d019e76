import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Coupon } from '#coupon/coupon.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { aRequest, anIssuanceId } from '../../../test/harness/fixtures.ts';
import { silentFailures } from '../../../test/harness/silent-failures.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { openTestStores } from '../../../test/harness/stores/test-stores.ts';
import { CouponCatalogue } from '../coupon/coupon-catalogue.ts';
import { DecidedLookups } from '../waiting/decided-lookups.ts';
import { Ownership } from './ownership.ts';

const { ledger, here, openCoupon } = openTestStores();
const failures = silentFailures();
const hints = new StatusHints(here.connection, here.prefix, 60);
const waitMaxMs = 10_000;

let coupon: Coupon;
let asked: string[];
let ownership: Ownership;

beforeAll(async () => {
  coupon = await openCoupon();
});
beforeEach(() => {
  asked = [];
  ownership = newOwnership();
});
afterAll(() => here.removeKeys());

/** Nothing is remembered yet; what it asks of the stores is noted. */
function newOwnership(): Ownership {
  const note = async (step: string): Promise<void> => void asked.push(step);
  const noted = withStepsBefore(hints, note);
  const gate = withStepsBefore(here.gate, note);
  const issuances = withStepsBefore(ledger.issuances, note);
  const catalogue = new CouponCatalogue(ledger.coupons, here.gate);
  const lookups = new DecidedLookups(noted, issuances, failures, waitMaxMs);
  return new Ownership(gate, noted, lookups, catalogue, waitMaxMs);
}

async function decide(issuanceId: string, userId: string): Promise<void> {
  await ledger.issuances.decideChunk([
    aRequest({ issuanceId, userId, couponId: coupon.id, epoch: coupon.epoch }),
  ]);
}

const unavailable = { code: 'UNAVAILABLE' };

test('what is not decided is of whom the gate has it for, and of nobody else', async () => {
  const id = await here.take(coupon.id, 'ann');
  expect(await ownership.isOf('ann', id)).toBe(true);
  expect(await ownership.isOf('bob', id)).toBe(false);
  await here.take(coupon.id, 'bob');
  expect(await ownership.isOf('bob', id)).toBe(false);
});

test('what is decided is of whom MySQL has it for, issued or refused, also when no gate has it', async () => {
  const [issued, refused] = [anIssuanceId(Date.now()), anIssuanceId(Date.now())];
  await decide(issued, 'carl');
  await decide(refused, 'carl');
  for (const id of [issued, refused]) {
    expect(await ownership.isOf('carl', id)).toBe(true);
    expect(await ownership.isOf('ann', id)).toBe(false);
  }
});

test('what only a hint tells of is of its user', async () => {
  const id = anIssuanceId(Date.now());
  const hint = { couponId: coupon.id, userId: 'dora', status: 'ISSUED', decidedAt: 1 } as const;
  await hints.write(new Map([[id, hint]]));
  expect(await ownership.isOf('dora', id)).toBe(true);
  expect(await ownership.isOf('ann', id)).toBe(false);
});

test('a coupon that is newer than the list of coupons is found', async () => {
  expect(await ownership.isOf('erin', anIssuanceId(Date.now()))).toBe(false);
  const newer = await openCoupon();
  const id = await here.take(newer.id, 'erin');
  expect(await ownership.isOf('erin', id)).toBe(true);
});

test('an id that the gate never makes is of nobody', async () => {
  expect(await ownership.isOf('ann', '01a2027b-d680-4c3a-9d1e-0d5c2b9f4a11')).toBe(false);
  expect(asked).toEqual([]);
});

describe('to somebody else', () => {
  test('the same is asked for what is of others, decided or not, as for what is of nobody', async () => {
    const underWay = await here.take(coupon.id, 'fred');
    const decided = anIssuanceId(Date.now());
    await decide(decided, 'gwen');
    const hinted = anIssuanceId(Date.now());
    const hint = { couponId: coupon.id, userId: 'hal', status: 'ISSUED', decidedAt: 1 } as const;
    await hints.write(new Map([[hinted, hint]]));
    const nobodys = anIssuanceId(Date.now());
    const questions: string[] = [];
    // The owners have asked before, at this very api.
    expect(await ownership.isOf('fred', underWay)).toBe(true);
    expect(await ownership.isOf('gwen', decided)).toBe(true);
    for (const id of [nobodys, underWay, decided, hinted]) {
      asked.length = 0;
      expect(await ownership.isOf('stranger', id)).toBe(false);
      questions.push(asked.join());
    }
    expect(questions[0]).toContain('findStatuses');
    expect(new Set(questions).size).toBe(1);
  });

  test('it is asked again each time, and of its owner only once', async () => {
    const id = await here.take(coupon.id, 'ivy');
    expect(await ownership.isOf('ivy', id)).toBe(true);
    const once = asked.length;
    expect(await ownership.isOf('ivy', id)).toBe(true);
    expect(asked).toHaveLength(once);
    await ownership.isOf('stranger', id);
    const twice = asked.length;
    await ownership.isOf('stranger', id);
    expect(asked.length).toBeGreaterThan(twice);
  });

  test('what the watermark has passed costs no look at the gates', async () => {
    await hints.writeWatermark(Date.now());
    expect(await ownership.isOf('ann', anIssuanceId(Date.now() - 60_000))).toBe(false);
    expect(asked).not.toContain('inspect');
    expect(asked).toContain('findStatuses');
  });

  test('however many ask, the gates are looked at once at a time', async () => {
    const now = Date.now() + 10_000;
    await Promise.all(
      Array.from({ length: 100 }, () => ownership.isOf('stranger', anIssuanceId(now))),
    );
    const gates = (await ledger.coupons.list()).length;
    // One that was out when the others came, and one for all of them; some look again at what is new.
    expect(asked.filter((step) => step === 'inspect').length).toBeLessThanOrEqual(6 * gates);
  });
});

describe('while a gate is shut', () => {
  test('while a gate is shut nobody is told 404 for what may be his', async () => {
    const lost = await openCoupon();
    const id = await here.take(lost.id, 'jack');
    const decided = anIssuanceId(Date.now() + 10_000);
    await decide(decided, 'kate');
    await here.raw.unlink(here.keys(lost.id).holders);
    await expect(ownership.isOf('jack', id)).rejects.toMatchObject(unavailable);
    // What is decided tells its owner, and strangers no more than what is of nobody.
    expect(await ownership.isOf('kate', decided)).toBe(true);
    await expect(ownership.isOf('stranger', decided)).rejects.toMatchObject(unavailable);
    await expect(
      ownership.isOf('stranger', anIssuanceId(Date.now() + 10_000)),
    ).rejects.toMatchObject(unavailable);
    await here.rebuild({ ...lost, epoch: lost.epoch + 1 }, [{ userId: 'jack', issuanceId: id }]);
    expect(await ownership.isOf('jack', id)).toBe(true);
    expect(await ownership.isOf('stranger', id)).toBe(false);
  });
});
