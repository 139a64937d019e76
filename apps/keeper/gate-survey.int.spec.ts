import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestGate } from '../../test/harness/test-gate.ts';
import { TestLedger } from '../../test/harness/test-ledger.ts';
import { CouponAdministration } from '#administration/coupon-administration.ts';
import { reservedAtOf } from '#coupon/issuance.ts';
import { GateSurvey } from './gate-survey.ts';

const logger = pino({ level: 'silent' });
const ledger = new TestLedger();
const here = new TestGate();
const administration = new CouponAdministration(ledger.coupons, here.gate);

beforeAll(() => Promise.all([ledger.start(), here.start()]));
afterAll(() => Promise.all([ledger.close(), here.close()]));

async function admitToANewCoupon(): Promise<number> {
  const terms = { name: 'test', total: 10, opensAt: null, closesAt: null };
  const { id } = await administration.create(terms, 1);
  return reservedAtOf(await here.take(id, 'ann'))!;
}

async function untilLaterThan(milliseconds: number): Promise<void> {
  await expect.poll(() => here.gate.now(), { interval: 1 }).toBeGreaterThan(milliseconds);
}

test('whoever is admitted while a survey is taken, and is not in it, was not there before its time', async () => {
  await admitToANewCoupon();
  const admitted: number[] = [];
  /** Does its work, and only then lets somebody in at a coupon that it has not seen. */
  const admittingAfter = <Store extends object>(store: Store): Store =>
    new Proxy(store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') {
          return member;
        }
        return async (...args: unknown[]) => {
          const result: unknown = await Reflect.apply(member, target, args);
          const reservedAt = await admitToANewCoupon();
          admitted.push(reservedAt);
          await untilLaterThan(reservedAt);
          return result;
        };
      },
    });
  const survey = new GateSurvey(admittingAfter(ledger.coupons), here.gate, logger);
  const { takenAt, coupons } = await survey.take();
  const known = coupons.flatMap(({ gate }) => gate.oldestPendingAt ?? []);
  expect(admitted).not.toEqual([]);
  for (const reservedAt of admitted) {
    expect(Math.min(takenAt, ...known)).toBeLessThanOrEqual(reservedAt);
    expect(takenAt).toBeLessThanOrEqual(reservedAt);
  }
});
