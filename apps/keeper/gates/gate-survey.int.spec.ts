import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { keptLines } from '../../../test/harness/kept-lines.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { TestGate } from '../../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { CouponAdministration } from '#administration/coupon-administration.ts';
import { reservedAtOf } from '#coupon/issuance.ts';
import { GateSurvey } from './gate-survey.ts';

const { lines, logger } = keptLines();
const ledger = new TestLedger();
const here = new TestGate();
const { raw } = here;
const terms = { name: 'test', total: 10, opensAt: null, closesAt: null };
const administration = new CouponAdministration(ledger.coupons, here.gate);

beforeAll(() => Promise.all([ledger.start(), here.start()]));
beforeEach(() => {
  lines.length = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
});
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

test('a survey is shared for 0.4 s, and one that must know how things are is taken anew', async () => {
  const survey = new GateSurvey(ledger.coupons, here.gate, logger);
  // Whole: of fractions, now + 400 - now may come out as more than 400.
  const now = Math.round(performance.now());
  const clock = vi.spyOn(performance, 'now').mockReturnValue(now);
  const first = await survey.recent();
  clock.mockReturnValue(now + 400);
  expect(await survey.recent()).toBe(first);
  expect(await survey.take()).not.toBe(first);
  clock.mockReturnValue(now + 401);
  expect(await survey.recent()).not.toBe(first);
});

test('tells which gates are shut that were open, once, and which coupons are at rest', async () => {
  const survey = new GateSurvey(ledger.coupons, here.gate, logger);
  const ids: number[] = [];
  for (let i = 0; i < 12; i += 1) {
    ids.push((await administration.create(terms, 1)).id);
  }
  await administration.close(ids[0]!);
  const ofOurs = async () =>
    (await survey.take()).coupons.filter(({ coupon }) => ids.includes(coupon.id));
  const before = await ofOurs();
  expect(before.map(({ gate, isAtRest }) => [gate.gate, isAtRest])).toEqual(
    ids.map((_, i) => ['open', i === 0]),
  );
  expect(lines).toEqual([]);
  for (const id of ids) {
    await here.breakRunId(id);
  }
  expect((await ofOurs()).filter(({ gate }) => gate.gate === 'open')).toHaveLength(1);
  expect((await ofOurs()).filter(({ gate }) => gate.gate === 'open')).toEqual([]);
  expect(lines[0]).toMatchObject({
    coupon_ids: ids.slice(1, 11),
    gates: 11,
    msg: 'gates are shut that were open',
  });
  const told = lines.length;
  await ofOurs();
  expect(lines).toHaveLength(told);
});

test('a gate that is behind the epoch of its coupon was put back: it is not open', async () => {
  const { id } = await administration.create(terms, 1);
  await ledger.query('UPDATE coupon SET epoch = 5 WHERE id = ?', [id]);
  // Another process, which has not seen the older epoch.
  const survey = new GateSurvey(ledger.coupons, here.gate, logger);
  const { coupons } = await survey.take();
  expect(coupons.find(({ coupon }) => coupon.id === id)?.gate.gate).toBe('fenced');
});

test('a gate of an ended coupon that was shut is looked at again by who must know how things are', async () => {
  const { id } = await administration.create(terms, 1);
  await administration.close(id);
  await here.breakRunId(id);
  const survey = new GateSurvey(ledger.coupons, here.gate, logger);
  const look = async () =>
    (await survey.take()).coupons.find(({ coupon }) => coupon.id === id)!.gate.gate;
  expect(await look()).toBe('fenced');
  const coupon = (await ledger.coupons.find(id))!;
  await here.rebuild({ ...coupon, epoch: coupon.epoch + 1 }, []);
  expect(await look()).toBe('open');
});

test('one that fails is told to whoever asked, and holds up none that comes after it', async () => {
  let isAway = true;
  const coupons = withStepsBefore(ledger.coupons, async () => {
    if (isAway) {
      throw new Error('MySQL is away');
    }
  });
  const survey = new GateSurvey(coupons, here.gate, logger);
  const failed = survey.take();
  const next = survey.take();
  await expect(failed).rejects.toThrow('MySQL is away');
  await expect(next).rejects.toThrow('MySQL is away');
  isAway = false;
  await expect(survey.take()).resolves.toHaveProperty('takenAt');
});
