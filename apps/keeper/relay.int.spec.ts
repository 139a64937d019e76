import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestGate } from '../../test/harness/test-gate.ts';
import { TestLedger } from '../../test/harness/test-ledger.ts';
import { TestLog } from '../../test/harness/test-log.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import { LedgerConnection } from '#ledger/ledger-connection.ts';
import { GateSurvey } from './gate-survey.ts';
import { Relay } from './relay.ts';

const ledger = new TestLedger();
const here = new TestGate();
const log = new TestLog();

beforeAll(async () => {
  await Promise.all([ledger.start(), here.start(), log.start()]);
});
afterAll(async () => {
  await Promise.all([ledger.close(), here.close(), log.close()]);
});

test('finishes what was reserved before it and after it, also while MySQL is away', async () => {
  const coupon = await ledger.createCoupon();
  await here.rebuild(coupon, []);
  const connection = new LedgerConnection(ledger.config);
  await connection.connected();
  const coupons = new CouponLedger(connection);
  const logger = pino({ level: 'silent' });
  const survey = new GateSurvey(coupons, here.gate, logger);
  const relay = new Relay(survey, here.gate, log.log, 0, logger);
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
  await here.take(coupon.id, 'bob');
  await relay.run();
  expect(await here.gate.inspect(coupon.id)).toMatchObject({ pending: 0, holders: 2 });
  const written = [...(await log.issuers.ends()).values()].reduce((a, b) => a + b, 0);
  expect(written).toBe(2);
});
