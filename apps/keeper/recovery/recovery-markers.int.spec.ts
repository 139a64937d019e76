import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { TestLog } from '../../../test/harness/stores/test-log.ts';
import { testKafka } from '../../../test/harness/stores/test-topics.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import { parseRequestRecord } from '#coupon/events.ts';
import { readTopic } from '#event-log/inspect/log-reader.ts';
import { EventPublisher } from '#event-log/publish/event-publisher.ts';
import type { CouponEpoch } from '#event-log/publish/issuance-log.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { RecoveryMarkers } from './recovery-markers.ts';

const ledger = new TestLedger();
const log = new TestLog();
const failures: [number, unknown][] = [];
let markers: RecoveryMarkers<CouponEpoch>;
/** The time of this process, which passes only when a test says so. */
let laterMs = 1_000_000;

beforeAll(async () => {
  await Promise.all([ledger.start(), log.start()]);
  vi.spyOn(performance, 'now').mockImplementation(() => laterMs);
});
beforeEach(() => {
  failures.length = 0;
  markers = markersOf(ledger.coupons);
});
afterEach(() => markers.drain());
afterAll(async () => {
  vi.restoreAllMocks();
  await Promise.all([ledger.close(), log.close()]);
});

function markersOf(coupons: CouponLedger, to = log.log): RecoveryMarkers<CouponEpoch> {
  return new RecoveryMarkers(coupons, to, (partition, error) => failures.push([partition, error]));
}

/** A coupon whose epoch a recovery has raised. */
async function raised(kafkaPartition = 0): Promise<CouponEpoch> {
  const { id: couponId } = await ledger.createCoupon({ kafkaPartition });
  const epochs = await ledger.coupons.raiseEpochs([couponId], async () => new Map([[couponId, 0]]));
  return { couponId, kafkaPartition, epoch: epochs.get(couponId)! };
}

function apply(...epochs: CouponEpoch[]): Promise<void> {
  return ledger.issuances.applyMarker({ epochs });
}

/** How often a marker of each of these is in the log. */
async function writtenOf(...ones: CouponEpoch[]): Promise<number[]> {
  const written: string[] = [];
  const key = (partition: number, couponId: number, epoch: number): string =>
    `${partition} ${couponId} ${epoch}`;
  await readTopic(testKafka(), log.topics.requested, ({ value }, partition) => {
    const record = parseRequestRecord(value);
    if (record.kind === 'marker') {
      record.marker.epochs.forEach((one) => {
        written.push(key(partition, one.couponId, one.epoch));
      });
    }
  });
  return ones.map(
    ({ kafkaPartition, couponId, epoch }) =>
      written.filter((one) => one === key(kafkaPartition, couponId, epoch)).length,
  );
}

test('writes a marker for each, and tells as soon as one is applied, whatever other partitions do', async () => {
  const [slow, first, second] = [await raised(0), await raised(1), await raised(1)];
  markers.add(0, []);
  expect(markers.waitedFor()).toEqual([]);
  markers.add(0, [slow]);
  markers.add(1, [first]);
  markers.add(1, [second]);
  await markers.drain();
  await markers.settle();
  await markers.drain();
  expect(await writtenOf(slow, first, second)).toEqual([1, 1, 1]);

  expect(await markers.settle()).toEqual({ applied: [], overtaken: [] });
  await apply(second);
  expect(await markers.settle()).toEqual({ applied: [second], overtaken: [] });
  expect(await markers.settle()).toEqual({ applied: [], overtaken: [] });
  laterMs += 4_500;
  expect(markers.waitedFor()).toEqual([
    { partition: 0, gates: 1, seconds: 5 },
    { partition: 1, gates: 1, seconds: 5 },
  ]);
  await apply(first);
  expect(await markers.settle()).toEqual({ applied: [first], overtaken: [] });
  expect(markers.waitedFor()).toEqual([{ partition: 0, gates: 1, seconds: 5 }]);
  await apply(slow);
  await markers.settle();
  expect(markers.waitedFor()).toEqual([]);
  expect(failures).toEqual([]);
});

test('one whose coupon is in another epoch, or gone, is overtaken', async () => {
  const [older, gone, fine] = [await raised(), await raised(), await raised()];
  markers.add(0, [older, gone, fine]);
  const { couponId } = older;
  await ledger.coupons.raiseEpochs([couponId], async () => new Map([[couponId, 0]]));
  await apply({ ...older, epoch: older.epoch + 1 }, fine);
  await ledger.query('DELETE FROM coupon WHERE id = ?', [gone.couponId]);
  expect(await markers.settle()).toEqual({ applied: [fine], overtaken: [older, gone] });
  expect(markers.waitedFor()).toEqual([]);
});

test('a marker that is not applied is written again after half a minute, and no sooner', async () => {
  const one = await raised();
  markers.add(0, [one]);
  await markers.drain();
  laterMs += 29_999;
  await markers.settle();
  await markers.drain();
  expect(await writtenOf(one)).toEqual([1]);
  laterMs += 1;
  await markers.settle();
  await markers.drain();
  expect(await writtenOf(one)).toEqual([2]);
});

test('of many in a partition, the first 500 are looked at and written again: the rest wait for them', async () => {
  const many = Array.from({ length: 501 }, (_, i) => ({
    couponId: 1_000_000 + i,
    kafkaPartition: 0,
    epoch: 2,
  }));
  await ledger.query(
    'INSERT INTO coupon (id, name, total, issued, kafka_partition, version, state, epoch, applied_epoch) VALUES ?',
    [many.map(({ couponId }) => [couponId, 'many', 1, 0, 0, 1, 'open', 2, 1])],
  );
  const [first, last] = [many[0]!, many[500]!];
  markers.add(0, many);
  await markers.drain();
  expect(await writtenOf(first, last)).toEqual([1, 1]);
  await apply(last);
  expect(await markers.settle()).toEqual({ applied: [], overtaken: [] });
  laterMs += 30_000;
  await markers.settle();
  await markers.drain();
  expect(await writtenOf(first, last)).toEqual([2, 1]);

  await apply(...many);
  expect((await markers.settle()).applied).toEqual(many.slice(0, 500));
  expect(await markers.settle()).toEqual({ applied: [last], overtaken: [] });
});

test('a partition of the log that takes nothing is named, and written to again after a second', async () => {
  const publisher = new EventPublisher(testKafka(), { publishTimeoutMs: 1_000 });
  publisher.start();
  markers = markersOf(ledger.coupons, new IssuanceLog(publisher, log.topics));
  const [lost, sound] = [await raised(77), await raised(1)];
  markers.add(77, [lost]);
  markers.add(1, [sound]);
  await markers.drain();
  expect(failures.map(([partition]) => partition)).toEqual([77]);
  expect(await writtenOf(sound)).toEqual([1]);
  await markers.settle();
  await markers.drain();
  expect(failures).toHaveLength(1);
  laterMs += 1_000;
  await markers.settle();
  await markers.drain();
  expect(failures.map(([partition]) => partition)).toEqual([77, 77]);
  expect(await writtenOf(sound)).toEqual([1]);
  await publisher.close();
});

test('while MySQL is away it says so, and forgets none', async () => {
  const connection = new LedgerConnection(ledger.config);
  await connection.connected();
  await connection.close();
  const cut = markersOf(new CouponLedger(connection));
  cut.add(1, [await raised(1)]);
  await expect(cut.settle()).rejects.toThrow();
  expect(cut.waitedFor()).toMatchObject([{ partition: 1, gates: 1 }]);
  await cut.drain();
});
