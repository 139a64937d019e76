import { pino } from 'pino';
import { beforeAll, expect, test } from 'vitest';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { TestGate } from '../../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { openTestStores } from '../../../test/harness/stores/test-stores.ts';
import { reservedAtOf } from '#coupon/issuance.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { DecidedWatermark } from './decided-watermark.ts';
import { GateSurvey } from './gate-survey.ts';

const logger = pino({ level: 'silent' });
const { ledger, here, log } = openTestStores();
const hints = new StatusHints(here.connection, here.prefix, 60);

beforeAll(() => log.commitAll());

/** Reserves, publishes and confirms, as an api does before it answers; returns when it was reserved. */
async function acknowledge(couponId: number, userId: string): Promise<number> {
  const issuanceId = await here.take(couponId, userId);
  const reservedAt = reservedAtOf(issuanceId)!;
  const request = { issuanceId, couponId, userId, epoch: 1, reservedAt, kafkaPartition: 0 };
  await log.log.publishRequests([request]);
  await here.gate.confirm(couponId, 1, [request]);
  await expect.poll(() => here.gate.now(), { interval: 1 }).toBeGreaterThan(reservedAt);
  return reservedAt;
}

/** As a keeper does that was just started. */
async function runOnce(): Promise<void> {
  const survey = new GateSurvey(ledger.coupons, here.gate, logger);
  await new DecidedWatermark(survey, log.issuers, hints).run(new AbortController().signal);
}

test('whoever is acknowledged between its two reads, and is not decided, is not vouched for', async () => {
  const coupon = await ledger.createCoupon();
  await here.rebuild(coupon, []);
  let steps = 0;
  let reservedAt = Number.POSITIVE_INFINITY;
  const isDone = new AbortController();
  const before = async (): Promise<void> => {
    steps += 1;
    if (steps === 2) {
      reservedAt = await acknowledge(coupon.id, 'ann');
    }
    // What waits for the issuers would wait for ever: there are none.
    isDone.abort();
  };
  const watermark = new DecidedWatermark(
    withStepsBefore(new GateSurvey(ledger.coupons, here.gate, logger), before),
    withStepsBefore(log.issuers, before),
    hints,
  );
  await watermark.run(isDone.signal);
  expect(steps).toBeGreaterThan(1);
  expect((await hints.readWatermark()) ?? 0).toBeLessThanOrEqual(reservedAt);

  await log.commitAll();
  await runOnce();
  expect(await hints.readWatermark()).toBeGreaterThan(reservedAt);
});

test('what is acknowledged and not decided is not vouched for', async () => {
  const coupon = await ledger.createCoupon();
  await here.rebuild(coupon, []);
  const reservedAt = await acknowledge(coupon.id, 'dan');
  const survey = new GateSurvey(ledger.coupons, here.gate, logger);
  await new DecidedWatermark(survey, log.issuers, hints).run(AbortSignal.timeout(200));
  expect((await hints.readWatermark()) ?? 0).toBeLessThanOrEqual(reservedAt);
});

test('what is still pending at a gate is not vouched for, however long ago it was reserved', async () => {
  const coupon = await ledger.createCoupon();
  await here.rebuild(coupon, []);
  const reservedAt = reservedAtOf(await here.take(coupon.id, 'bob'))!;
  await expect.poll(() => here.gate.now(), { interval: 1 }).toBeGreaterThan(reservedAt);
  await log.commitAll();
  await runOnce();
  expect(await hints.readWatermark()).toBe(reservedAt);
});

test('a gate that lost what is pending is vouched for up to when it was last seen open, until it is recovered', async () => {
  const [ownLedger, ownGate] = [new TestLedger(), new TestGate()];
  await Promise.all([ownLedger.start(), ownGate.start()]);
  try {
    const ownHints = new StatusHints(ownGate.connection, ownGate.prefix, 60);
    const coupon = await ownLedger.createCoupon();
    const keys = ownGate.keys(coupon.id);
    const newKeeper = (): (() => Promise<void>) => {
      // A survey is made anew each time: the keeper would use its last one for a while.
      let survey = new GateSurvey(ownLedger.coupons, ownGate.gate, logger);
      const watermark = new DecidedWatermark(
        { recent: () => survey.take() } as GateSurvey,
        log.issuers,
        ownHints,
      );
      return async () => {
        survey = new GateSurvey(ownLedger.coupons, ownGate.gate, logger);
        await watermark.run(new AbortController().signal);
      };
    };
    await log.commitAll();
    await ownGate.rebuild(coupon, []);
    const run = newKeeper();
    await run();
    const seenOpen = (await ownHints.readWatermark())!;
    const issuanceId = await ownGate.take(coupon.id, 'ann');

    await ownGate.raw.rename(keys.pending, `${ownGate.prefix}kept`);
    await run();
    expect(await ownHints.readWatermark()).toBe(seenOpen);
    // One that was started since knows nothing of before.
    await newKeeper()();
    expect(await ownHints.readWatermark()).toBe(seenOpen);

    // Put back, it can be confirmed: nobody must have been told meanwhile that it is not there.
    await ownGate.raw.rename(`${ownGate.prefix}kept`, keys.pending);
    expect(await ownGate.gate.confirm(coupon.id, 1, [{ userId: 'ann', issuanceId }])).toBe(true);
    await run();
    expect(await ownHints.readWatermark()).toBeGreaterThan(reservedAtOf(issuanceId)!);
  } finally {
    await Promise.all([ownLedger.close(), ownGate.close()]);
  }
});
