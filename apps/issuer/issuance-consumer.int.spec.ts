import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { aRequest, userIds } from '../../test/harness/fixtures.ts';
import { silentFailures } from '../../test/harness/silent-failures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import { TestLog } from '../../test/harness/stores/test-log.ts';
import { TestMetrics } from '../../test/harness/test-metrics.ts';
import { testKafka } from '../../test/harness/stores/test-topics.ts';
import { idConflictReason } from '#coupon/dead-letter.ts';
import { toEpochMarked, toIssuanceRequested } from '#coupon/events.ts';
import { BatchContext, PartitionStoppedError } from '#event-log/consume/batch-context.ts';
import type { RecordBatch } from '#event-log/consumed-record.ts';
import { readTopic } from '#event-log/inspect/log-reader.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { DeadLetterLines } from './dead-letter-lines.ts';
import { DeadLetters } from './dead-letters.ts';
import { DecideIssuances } from './decide-issuances.ts';
import { IssuanceConsumer } from './issuance-consumer.ts';
import { IssuerMetrics } from './issuer-metrics.ts';

const ledger = new TestLedger();
const here = new TestGate();
const log = new TestLog();
const hints = new StatusHints(here.connection, here.prefix, 60);
const letters = new DeadLetterLedger(ledger.connection);
const shown = new TestMetrics();
const issuerMetrics = new IssuerMetrics(shown.telemetry, 'requests');
const failures = silentFailures();
const lines = new DeadLetterLines(pino({ level: 'silent' }));
const telling = vi.spyOn(lines, 'tell');
const consumer = new IssuanceConsumer(
  new DecideIssuances(ledger.issuances, here.gate, log.log, hints, issuerMetrics, failures),
  ledger.issuances,
  new DeadLetters(letters, log.log, issuerMetrics, lines),
);

beforeAll(async () => {
  await Promise.all([ledger.start(), here.start(), log.start(), shown.start()]);
});
beforeEach(async () => {
  await ledger.query('DELETE FROM dead_letter');
  telling.mockClear();
});
afterAll(async () => {
  await Promise.all([ledger.close(), here.close(), log.close(), shown.close()]);
});

/** A batch as the transport reads it from partition 1; an issuer was given it at `firstOffset`. */
function batchOf(values: unknown[], firstOffset = 100): RecordBatch {
  const records = values.map((value, i) => ({
    offset: String(firstOffset + i),
    key: null,
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    timestamp: 1_764_000_000_000,
    headers: {},
  }));
  const highWatermark = String(firstOffset + values.length);
  return { topic: log.topics.requested, partition: 1, records, highWatermark };
}

/** Consumes, and returns the offsets that were resolved; stale after so many of them. */
async function consume(batch: RecordBatch, steps = Infinity): Promise<string[]> {
  const resolved: string[] = [];
  const resolve = async (offset: string): Promise<void> => void resolved.push(offset);
  const context = new BatchContext({ resolve, isStale: () => resolved.length >= steps }, 'issuers');
  try {
    await consumer.consume(batch, context);
  } catch (error) {
    throw Object.assign(error as Error, { resolved });
  }
  return resolved;
}

async function statusOf(issuanceId: string): Promise<string | undefined> {
  const [decided] = await ledger.issuances.findStatuses([issuanceId]);
  return decided?.reason ?? decided?.status;
}

function openLetters() {
  return letters.list({ isOpen: true, afterId: 0, rowsMax: 10 });
}

/** Of the topic of this name, key and parsed value of each record, by partition. */
async function written(topic: string): Promise<{ partition: number; value: unknown }[]> {
  const found: { partition: number; value: unknown }[] = [];
  await readTopic(testKafka(), topic, ({ value }, partition) => {
    found.push({ partition, value: JSON.parse(String(value)) as unknown });
  });
  return found;
}

test('goes through the log in its order: requests, garbage, and a marker that voids what follows it', async () => {
  const { id: couponId } = await ledger.createCoupon();
  const before = aRequest({ couponId, userId: 'before' });
  const behind = aRequest({ couponId, userId: 'behind the marker' });
  const batch = batchOf([
    toIssuanceRequested(before),
    'no JSON',
    toEpochMarked({ epochs: [{ couponId, epoch: 2 }] }),
    toIssuanceRequested(behind),
  ]);
  expect(await consume(batch)).toEqual(['100', '101', '102', '103']);
  expect([await statusOf(before.issuanceId), await statusOf(behind.issuanceId)]).toEqual([
    'ISSUED',
    'VOID',
  ]);
  expect((await ledger.coupons.find(couponId))!.appliedEpoch).toBe(2);
  const place = { topic: log.topics.requested, partition: 1, offset: '101' };
  const reason = 'not a JSON object with a version';
  expect(await openLetters()).toMatchObject([{ ...place, reason }]);

  // Told to whoever polls, and to the log, where the requests stand.
  expect(await hints.read(before.issuanceId)).toMatchObject({
    couponId,
    userId: 'before',
    status: 'ISSUED',
  });
  expect(await hints.read(behind.issuanceId)).toMatchObject({ status: 'REFUSED', reason: 'VOID' });
  const told = (await written(log.topics.decided)).filter(
    ({ value }) => (value as { coupon_id: number }).coupon_id === couponId,
  );
  expect(told).toMatchObject([
    { partition: 1, value: { decisions: [{ issuance_id: before.issuanceId, status: 'ISSUED' }] } },
    { partition: 1, value: { decisions: [{ issuance_id: behind.issuanceId, reason: 'VOID' }] } },
  ]);
});

/** How much higher each counter of that name is after `work`; those that have not moved are left out. */
async function counted(name: string, work: () => Promise<unknown>): Promise<unknown> {
  const before = await shown.read(name);
  await work();
  const moved = Object.entries(await shown.read(name)).map(([labels, value]) => [
    labels,
    value - (before[labels] ?? 0),
  ]);
  return Object.fromEntries(moved.filter(([, by]) => by !== 0));
}

test('what is delivered again is counted once, by what became of it', async () => {
  const { id: couponId } = await ledger.createCoupon({ total: 2 });
  const requests = userIds(3).map((userId) => aRequest({ couponId, userId }));
  const batch = batchOf([...requests.map(toIssuanceRequested), 'no JSON'], 600);
  const twice = async (): Promise<void> => {
    await consume(batch);
    await consume(batch);
  };
  expect(await counted('firstcome_', twice)).toMatchObject({
    'issuances_decided_total{status="ISSUED"}': 2,
    'issuances_decided_total{status="REFUSED",reason="SOLD_OUT"}': 1,
    'dead_letters_total{reason="unreadable"}': 1,
    'batch_size_count{stage="decide"}': 2,
    'batch_size_sum{stage="decide"}': 6,
  });
});

test('what is delivered again gets the decision it got, and is set aside once', async () => {
  const { id: couponId } = await ledger.createCoupon({ total: 1 });
  const [ann, bob] = [aRequest({ couponId, userId: 'ann' }), aRequest({ couponId, userId: 'bob' })];
  const batch = batchOf([toIssuanceRequested(ann), toIssuanceRequested(bob), 'no JSON'], 200);
  expect(await consume(batch)).toEqual(['201', '202']);
  expect(await consume(batch)).toEqual(['201', '202']);
  expect([await statusOf(ann.issuanceId), await statusOf(bob.issuanceId)]).toEqual([
    'ISSUED',
    'SOLD_OUT',
  ]);
  expect((await ledger.coupons.find(couponId))!.issued).toBe(1);
  expect(await openLetters()).toHaveLength(1);
  const copies = (await written(log.topics.deadLetter)).filter(
    ({ value }) => (value as { offset: string }).offset === '202',
  );
  expect(copies).toHaveLength(2);
  expect(telling).toHaveBeenCalledTimes(1);
});

test('a request under the id of another one is set aside with its own place, and gives its unit back', async () => {
  const coupon = await ledger.createCoupon();
  const couponId = coupon.id;
  await here.rebuild(coupon, []);
  const ann = aRequest({ couponId, userId: 'ann' });
  const issuanceId = await here.take(couponId, 'bob');
  // Somebody else's is decided under the id that the gate gave to bob.
  const first = aRequest({ couponId, userId: 'carl', issuanceId });
  const bob = aRequest({ couponId, userId: 'bob', issuanceId });
  const batch = batchOf([first, ann, bob].map(toIssuanceRequested), 300);
  expect(await consume(batch)).toEqual(['302']);
  expect(await openLetters()).toMatchObject([{ offset: '302', reason: idConflictReason }]);
  const letter = expect.objectContaining({ offset: '302' }) as object;
  expect(telling.mock.calls).toEqual([[letter, 'id_conflict']]);
  expect(await statusOf(ann.issuanceId)).toBe('ISSUED');
  expect(await here.gate.inspect(couponId)).toMatchObject({ holders: 0, left: 10, pending: 0 });
});

test('at a record of a newer version it stops: what stands before is done, nothing behind it', async () => {
  const { id: couponId } = await ledger.createCoupon();
  const before = aRequest({ couponId, userId: 'before' });
  const behind = aRequest({ couponId, userId: 'behind' });
  const batch = batchOf(
    [toIssuanceRequested(before), { v: 7, type: 'of tomorrow' }, toIssuanceRequested(behind)],
    400,
  );
  const stopped = await consume(batch).catch((error: unknown) => error);
  expect(stopped).toBeInstanceOf(PartitionStoppedError);
  expect(stopped).toMatchObject({ resolved: ['400'] });
  expect((stopped as Error).message).toMatch(
    /Partition 1, offset 401: .* version 7, .* version 1\./,
  );
  expect((stopped as Error).message).toContain('nothing behind it is decided until then');
  expect(await statusOf(before.issuanceId)).toBe('ISSUED');
  expect(await statusOf(behind.issuanceId)).toBeUndefined();
  expect(await openLetters()).toEqual([]);
});

test('whoever no longer has the partition stops after the step in hand', async () => {
  const { id: couponId } = await ledger.createCoupon();
  const done = aRequest({ couponId, userId: 'done' });
  const left = aRequest({ couponId, userId: 'left to the next one' });
  const batch = batchOf([toIssuanceRequested(done), 'no JSON', toIssuanceRequested(left)], 500);
  expect(await consume(batch, 1)).toEqual(['500']);
  expect(await statusOf(done.issuanceId)).toBe('ISSUED');
  expect(await statusOf(left.issuanceId)).toBeUndefined();
  expect(await openLetters()).toEqual([]);
});

test('a hint that cannot be written holds up nobody', async () => {
  const { id: couponId } = await ledger.createCoupon();
  const ann = aRequest({ couponId, userId: 'ann' });
  const away = new TestGate();
  await away.start();
  const deaf = new StatusHints(away.connection, away.prefix, 60);
  const issuer = new DecideIssuances(
    ledger.issuances,
    here.gate,
    log.log,
    deaf,
    issuerMetrics,
    failures,
  );
  const { decisions } = await issuer.decide(1, [ann]);
  await away.close();
  await expect(
    deaf.write(
      new Map([[ann.issuanceId, { couponId, userId: 'ann', status: 'ISSUED', decidedAt: 1 }]]),
    ),
  ).rejects.toThrow();
  await expect(issuer.writeHints(decisions)).resolves.toBeUndefined();
});
