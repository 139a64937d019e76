import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withStepsBefore } from '../../test/harness/steps-before.ts';
import { TestGate } from '../../test/harness/test-gate.ts';
import { TestLedger } from '../../test/harness/test-ledger.ts';
import { TestLog } from '../../test/harness/test-log.ts';
import { reservedAtOf } from '#coupon/issuance.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { DecidedWatermark } from './decided-watermark.ts';
import { GateSurvey } from './gate-survey.ts';

const logger = pino({ level: 'silent' });
const ledger = new TestLedger();
const here = new TestGate();
const log = new TestLog();
const hints = new StatusHints(here.connection, here.prefix, 60);

beforeAll(async () => {
  await Promise.all([ledger.start(), here.start(), log.start()]);
  await log.commitAll();
});
afterAll(async () => {
  await Promise.all([ledger.close(), here.close(), log.close()]);
});

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
  await new DecidedWatermark(
    new GateSurvey(ledger.coupons, here.gate, logger),
    log.issuers,
    hints,
  ).run(new AbortController().signal);
  expect(await hints.readWatermark()).toBeGreaterThan(reservedAt);
});

test('what is still pending at a gate is not vouched for, however long ago it was reserved', async () => {
  const coupon = await ledger.createCoupon();
  await here.rebuild(coupon, []);
  const reservedAt = reservedAtOf(await here.take(coupon.id, 'bob'))!;
  await expect.poll(() => here.gate.now(), { interval: 1 }).toBeGreaterThan(reservedAt);
  await log.commitAll();
  await new DecidedWatermark(
    new GateSurvey(ledger.coupons, here.gate, logger),
    log.issuers,
    hints,
  ).run(new AbortController().signal);
  expect(await hints.readWatermark()).toBe(reservedAt);
});
