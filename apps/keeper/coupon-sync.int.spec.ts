import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestGate } from '../../test/harness/test-gate.ts';
import { TestLedger } from '../../test/harness/test-ledger.ts';
import { CouponSync } from './coupon-sync.ts';
import { GateSurvey } from './gate-survey.ts';

const ledger = new TestLedger();
const here = new TestGate();

beforeAll(() => Promise.all([ledger.start(), here.start()]));
afterAll(() => Promise.all([ledger.close(), here.close()]));

function sync(): Promise<void> {
  const logger = pino({ level: 'silent' });
  return new CouponSync(new GateSurvey(ledger.coupons, here.gate, logger), here.gate, logger).run();
}

test('a change whose manager died before it came to the gate is applied there', async () => {
  const coupon = await ledger.createCoupon({ total: 1 });
  const other = await ledger.createCoupon();
  await here.rebuild(coupon, []);
  await here.rebuild(other, []);
  await here.take(coupon.id, 'ann');
  await sync();
  expect(await here.outcomes(coupon.id, 'bob')).toEqual([{ kind: 'sold_out' }]);

  const version = coupon.version + 1;
  const raise = { action: 'set-total', total: 2, asRead: coupon.version, version } as const;
  await ledger.coupons.change(coupon.id, raise);
  await sync();
  expect(await here.gate.inspect(coupon.id)).toMatchObject({ version, total: 2, left: 1 });
  expect((await here.outcomes(coupon.id, 'bob'))[0]?.kind).toBe('reserved');
  expect(await here.gate.inspect(other.id)).toMatchObject({ version: other.version, left: 10 });
});
