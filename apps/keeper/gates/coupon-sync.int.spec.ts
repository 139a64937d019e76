import { afterAll, beforeAll, expect, test } from 'vitest';
import { keptLines } from '../../../test/harness/kept-lines.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { TestGate } from '../../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { CouponSync } from './coupon-sync.ts';
import { GateSurvey } from './gate-survey.ts';

const ledger = new TestLedger();
const here = new TestGate();

beforeAll(() => Promise.all([ledger.start(), here.start()]));
afterAll(() => Promise.all([ledger.close(), here.close()]));

const { lines, logger } = keptLines();

function sync(gate = here.gate): Promise<void> {
  return new CouponSync(new GateSurvey(ledger.coupons, gate, logger), gate, logger).run();
}

test('a change whose manager died before it came to the gate is applied there', async () => {
  const coupon = await ledger.createCoupon({ total: 1 });
  const other = await ledger.createCoupon();
  await here.rebuild(coupon, []);
  await here.rebuild(other, []);
  await here.take(coupon.id, 'ann');
  const shut = await ledger.createCoupon();
  await sync();
  expect(lines).toEqual([]);
  expect(await here.outcomes(coupon.id, 'bob')).toEqual([{ kind: 'sold_out' }]);

  const version = coupon.version + 1;
  const raise = { action: 'set-total', total: 2, asRead: coupon.version, version } as const;
  await ledger.coupons.change(coupon.id, raise);
  await ledger.coupons.change(shut.id, { ...raise, total: 20 });
  await sync();
  expect(lines).toMatchObject([
    {
      coupon_id: coupon.id,
      version,
      outcome: 'applied',
      msg: 'applied a change of a coupon to its gate',
    },
  ]);
  expect(await here.gate.inspect(coupon.id)).toMatchObject({ version, total: 2, left: 1 });
  expect((await here.outcomes(coupon.id, 'bob'))[0]?.kind).toBe('reserved');
  expect(await here.gate.inspect(other.id)).toMatchObject({ version: other.version, left: 10 });
});

test('one whose gate takes no change holds up no other, and is named', async () => {
  const [deaf, sound] = [await ledger.createCoupon(), await ledger.createCoupon()];
  for (const coupon of [deaf, sound]) {
    await here.rebuild(coupon, []);
    const { version: asRead } = coupon;
    const raise = { action: 'set-total', total: 20, asRead, version: asRead + 1 } as const;
    await ledger.coupons.change(coupon.id, raise);
  }
  const gate = withStepsBefore(here.gate, async (method, coupon) => {
    if (method === 'applyCoupon' && (coupon as { id: number }).id === deaf.id) {
      throw new Error('no reply');
    }
  });
  await expect(sync(gate)).rejects.toThrow(`coupon ${deaf.id}: no reply`);
  expect(await here.gate.inspect(sound.id)).toMatchObject({ total: 20 });
});
