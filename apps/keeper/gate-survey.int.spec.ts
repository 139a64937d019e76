import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestGate } from '../../test/harness/test-gate.ts';
import { TestLedger } from '../../test/harness/test-ledger.ts';
import { CouponAdministration } from '#administration/coupon-administration.ts';
import { reservedAtOf } from '#coupon/issuance.ts';
import { GateSurvey } from './gate-survey.ts';

const logger = pino({ level: 'silent' });
const ledger = new TestLedger();
const here = new TestGate();
const { raw } = here;
const terms = { name: 'test', total: 10, opensAt: null, closesAt: null };
const administration = new CouponAdministration(ledger.coupons, here.gate);

beforeAll(() => Promise.all([ledger.start(), here.start()]));
afterAll(() => Promise.all([ledger.close(), here.close()]));

async function admitToANewCoupon(): Promise<number> {
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

describe('an open gate whose terms another hand has written counts as shut', () => {
  const written = {
    total: { total: 11, left: 11 },
    state: { state: 'paused' },
    opens_at: { opens_at: 1_764_000_000_000 },
    closes_at: { closes_at: 1_764_000_000_000 },
    kafka_partition: { kafka_partition: 77 },
  };

  test.each(Object.entries(written))('%s', async (_name, fields) => {
    const survey = new GateSurvey(ledger.coupons, here.gate, logger);
    const { id } = await administration.create(terms, 1);
    const look = async () =>
      (await survey.take()).coupons.find(({ coupon }) => coupon.id === id)!.gate.gate;
    expect(await look()).toBe('open');
    await raw.hset(here.keys(id).meta, fields);
    expect(await look()).toBe('fenced');
  });

  test('but not a total that is being lowered: there the gate goes first', async () => {
    const { id } = await administration.create(terms, 1);
    await raw.hset(here.keys(id).meta, { total: 9, left: 9 });
    const { coupons } = await new GateSurvey(ledger.coupons, here.gate, logger).take();
    expect(coupons.find(({ coupon }) => coupon.id === id)!.gate.gate).toBe('open');
  });
});
