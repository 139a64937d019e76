import { beforeEach, expect, test } from 'vitest';
import { userIds } from '../../../test/harness/fixtures.ts';
import { keptLines } from '../../../test/harness/kept-lines.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { openTestStores } from '../../../test/harness/stores/test-stores.ts';
import { batchSizeMax } from '#coupon/batch-size.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import { inSlices } from '#platform/work/slices.ts';
import { GateSurvey } from './gate-survey.ts';
import { Relay } from './relay.ts';

const { ledger, here, log } = openTestStores();
const { lines, logger } = keptLines();

/** Which coupons' gates were asked for what they have, one entry for each time. */
const asked: number[] = [];
const gate = withStepsBefore(here.gate, async (method, couponId) => {
  if (method === 'listPending') {
    asked.push(couponId as number);
  }
});

beforeEach(() => {
  asked.length = 0;
  lines.length = 0;
});

async function leavePending(couponId: number, count: number): Promise<void> {
  for (const some of inSlices(userIds(count), batchSizeMax)) {
    await here.outcomes(couponId, ...some);
  }
}

/** As a keeper does that has just begun, and waits for nobody. */
function relayNow(): Promise<void> {
  return new Relay(
    new GateSurvey(ledger.coupons, here.gate, logger),
    gate,
    log.log,
    0,
    logger,
  ).run();
}

async function countWritten(): Promise<number> {
  return [...(await log.issuers.ends()).values()].reduce((a, b) => a + b, 0);
}

test('finishes what was reserved before it and after it, also while MySQL is away', async () => {
  const coupon = await ledger.createCoupon();
  await here.rebuild(coupon, []);
  const connection = new LedgerConnection(ledger.config);
  await connection.connected();
  const coupons = new CouponLedger(connection);
  const atRest = await ledger.createCoupon({ closesAt: 1 });
  await here.rebuild(atRest, []);
  const survey = new GateSurvey(coupons, here.gate, logger);
  const relay = new Relay(survey, gate, log.log, 0, logger);
  await here.take(coupon.id, 'ann');
  await relay.run();
  expect(await here.gate.inspect(coupon.id)).toMatchObject({ pending: 0, holders: 1 });

  await connection.close();
  const knows = (): Promise<boolean> =>
    survey.recent().then(
      () => true,
      () => false,
    );
  await expect.poll(knows).toBe(false);
  // Nothing is left to do, and that is no failure.
  await relay.run();
  await here.take(coupon.id, 'bob');
  await relay.run();
  expect(await here.gate.inspect(coupon.id)).toMatchObject({ pending: 0, holders: 2 });
  expect(await countWritten()).toBe(2);
  expect(lines).toMatchObject(
    [1, 2].map(() => ({
      coupon_id: coupon.id,
      count: 1,
      confirmed: true,
      msg: 'relayed reservations that were left unconfirmed',
    })),
  );
  // What rests has nothing to relay, and one that has known nothing yet has nothing to do.
  await new Relay(new GateSurvey(coupons, here.gate, logger), gate, log.log, 0, logger).run();
  expect(new Set(asked)).toEqual(new Set([coupon.id]));
});

test('asks no gate in vain: not one that is idle, or shut, or whose reservations are not due yet', async () => {
  const [idle, shut, young] = [
    await ledger.createCoupon(),
    await ledger.createCoupon(),
    await ledger.createCoupon(),
  ];
  for (const coupon of [idle, shut, young]) {
    await here.rebuild(coupon, []);
  }
  await here.take(shut.id, 'ann');
  await here.breakRunId(shut.id);
  await relayNow();
  expect(asked).toEqual([]);
  await here.take(young.id, 'ann');
  await new Relay(
    new GateSurvey(ledger.coupons, here.gate, logger),
    gate,
    log.log,
    60_000,
    logger,
  ).run();
  expect(asked).toEqual([]);
  await relayNow();
  expect(asked).toEqual([young.id]);
});

test('what is left of a rush is relayed at once, in batches, and not before it is due', async () => {
  const coupon = await ledger.createCoupon({ total: 1_000 });
  await here.rebuild(coupon, []);
  await leavePending(coupon.id, 501);
  const before = await countWritten();
  const survey = new GateSurvey(ledger.coupons, here.gate, logger);
  await new Relay(survey, here.gate, log.log, 60_000, logger).run();
  expect(await countWritten()).toBe(before);
  expect(await here.gate.inspect(coupon.id)).toMatchObject({ pending: 501 });

  await relayNow();
  expect(asked).toEqual([coupon.id, coupon.id]);
  expect(await countWritten()).toBe(before + 501);
  expect(await here.gate.inspect(coupon.id)).toMatchObject({ pending: 0, holders: 501 });
  expect(lines).toMatchObject([{ count: 500 }, { count: 1 }]);
});

test('what a recovery has fenced meanwhile is not tried again: the gate that opens next knows nothing of it', async () => {
  const coupon = await ledger.createCoupon({ total: 1_000 });
  await here.rebuild(coupon, []);
  await leavePending(coupon.id, 501);
  const fenced = withStepsBefore(log.log, async () => void (await here.gate.fence(coupon.id, 2)));
  const survey = new GateSurvey(ledger.coupons, here.gate, logger);
  await new Relay(survey, gate, fenced, 0, logger).run();
  expect(asked).toEqual([coupon.id]);
  expect(lines).toMatchObject([{ coupon_id: coupon.id, count: 500, confirmed: false }]);
});
