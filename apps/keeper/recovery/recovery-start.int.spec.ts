import { beforeEach, expect, test } from 'vitest';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { openTestStores } from '../../../test/harness/stores/test-stores.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { RecoveryStart } from './recovery-start.ts';
import type { SurveyedCoupon } from '../gates/gate-survey.ts';

const { ledger, here } = openTestStores();
const failures: [number, unknown][] = [];

beforeEach(() => {
  failures.length = 0;
});

/** A coupon in the second partition whose gate was opened in this epoch, and has shut itself. */
async function shutCoupon(epochAtGate = 1): Promise<Coupon> {
  const coupon = await ledger.createCoupon({ kafkaPartition: 1 });
  await here.rebuild({ ...coupon, epoch: epochAtGate }, []);
  await here.breakRunId(coupon.id);
  return coupon;
}

async function begin(coupons: Coupon[], gate = here.gate) {
  const start = new RecoveryStart(ledger.coupons, gate, (id, error) => failures.push([id, error]));
  const surveyed = coupons.map(async (coupon): Promise<SurveyedCoupon> => {
    return { coupon, gate: await here.gate.inspect(coupon.id), isAtRest: false };
  });
  return start.run(await Promise.all(surveyed));
}

async function epochsOf({ id }: Coupon): Promise<{ mysql: number; gate: number }> {
  const [coupon, { minEpoch }] = [await ledger.coupons.find(id), await here.gate.inspect(id)];
  return { mysql: coupon!.epoch, gate: minEpoch };
}

test('each gate that is shut is fenced in an epoch that nobody has had', async () => {
  const [first, ahead, fenced, empty] = [
    await shutCoupon(),
    await shutCoupon(4),
    await shutCoupon(),
    await ledger.createCoupon({ kafkaPartition: 1 }),
  ];
  await here.gate.fence(fenced.id, 7);
  const expected = [
    { couponId: first.id, kafkaPartition: 1, epoch: 2 },
    { couponId: ahead.id, kafkaPartition: 1, epoch: 5 },
    { couponId: fenced.id, kafkaPartition: 1, epoch: 8 },
    { couponId: empty.id, kafkaPartition: 1, epoch: 2 },
  ];
  expect(await begin([first, ahead, fenced, empty])).toEqual(expected);
  for (const [i, coupon] of [first, ahead, fenced, empty].entries()) {
    const { epoch } = expected[i]!;
    expect(await epochsOf(coupon)).toEqual({ mysql: epoch, gate: epoch });
  }
  expect(failures).toEqual([]);
});

test('a gate that is open by now keeps its epoch, and stays open', async () => {
  const open = await ledger.createCoupon();
  await here.rebuild(open, []);
  const shut = await shutCoupon();
  expect(await begin([open, shut])).toMatchObject([{ couponId: shut.id, epoch: 2 }]);
  expect(await epochsOf(open)).toEqual({ mysql: 1, gate: 1 });
  expect((await here.gate.inspect(open.id)).gate).toBe('open');
});

test('MySQL has the epoch before the gate is fenced, and one that another has fenced since is left to it', async () => {
  const [first, overtaken] = [await shutCoupon(), await shutCoupon()];
  const inMysql: number[] = [];
  const gate = withStepsBefore(here.gate, async (method, id) => {
    if (method === 'fence') {
      inMysql.push((await ledger.coupons.find(id as number))!.epoch);
    }
    if (method === 'fence' && id === overtaken.id) {
      await here.gate.fence(overtaken.id, 3);
    }
  });
  expect(await begin([first, overtaken], gate)).toMatchObject([{ couponId: first.id, epoch: 2 }]);
  expect(inMysql).toEqual([2, 2]);
  expect(await epochsOf(overtaken)).toEqual({ mysql: 2, gate: 3 });
  expect(failures).toEqual([]);
});

test.each(['inspect', 'fence'])(
  'one that fails at its %s is left out and named, and holds up no other',
  async (step) => {
    const [broken, sound] = [await shutCoupon(), await shutCoupon()];
    const error = new Error('no reply');
    const gate = withStepsBefore(here.gate, async (method, id) => {
      if (method === step && id === broken.id) {
        throw error;
      }
    });
    expect(await begin([broken, sound], gate)).toMatchObject([{ couponId: sound.id, epoch: 2 }]);
    expect(failures).toEqual([[broken.id, error]]);
    // Whoever could not look has given no epoch.
    expect((await epochsOf(broken)).mysql).toBe(step === 'inspect' ? 1 : 2);
  },
);
