import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Decision } from '#coupon/decide.ts';
import { couponIdMax } from '#coupon/coupon.ts';
import { parseRequestRecord } from '#coupon/events.ts';
import { aRequest, userIds } from '../../../test/harness/fixtures.ts';
import { EventPublisher } from './event-publisher.ts';
import { IssuanceLog } from './issuance-log.ts';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import { readTopic } from '../inspect/log-reader.ts';

const topics = new TestTopics();
const publisher = new EventPublisher(testKafka(), { publishTimeoutMs: 5_000 });

beforeAll(async () => {
  await topics.open();
  publisher.start();
  await vi.waitFor(() => expect(publisher.state().status).toBe('connected'), { timeout: 15_000 });
});
afterAll(() => Promise.all([publisher.close(), topics.close()]));

async function told(decisions: Decision[]): Promise<{ key: string; value: unknown }[]> {
  const topic = await topics.create(2);
  const log = new IssuanceLog(publisher, { requested: '-', decided: topic, deadLetter: '-' });
  await log.publishDecided(1, decisions);
  const records: { key: string; value: unknown }[] = [];
  await readTopic(testKafka(), topic, ({ key, value }, partition) => {
    expect(partition).toBe(1);
    records.push({ key: String(key), value: JSON.parse(String(value)) });
  });
  return records;
}

test('what was decided together is one record for each coupon, in the order of the requests', async () => {
  const issued = (given: Parameters<typeof aRequest>[0]): Decision => ({
    request: aRequest(given),
    status: 'ISSUED',
    decidedAt: 5,
    isNew: true,
  });
  const ann = issued({ couponId: 1, userId: 'ann' });
  const bob = issued({ couponId: 2, userId: 'bob' });
  const late: Decision = { ...issued({ userId: 'late' }), status: 'REFUSED', reason: 'SOLD_OUT' };

  const shown = ({ request, status, reason }: Decision) => ({
    issuance_id: request.issuanceId,
    user_id: request.userId,
    status,
    ...(reason === undefined ? {} : { reason }),
    decided_at: 5,
  });
  const common = { v: 1, type: 'issuances.decided' };
  expect(await told([ann, bob, late])).toEqual([
    { key: '1', value: { ...common, coupon_id: 1, decisions: [shown(ann), shown(late)] } },
    { key: '2', value: { ...common, coupon_id: 2, decisions: [shown(bob)] } },
  ]);
});

test('the largest chunk, of the longest user ids, is not too large for a broker', async () => {
  const decisions = userIds(500, '\u{1f39f}'.repeat(60)).map((userId): Decision => ({
    request: aRequest({ userId }),
    status: 'ISSUED',
    decidedAt: 5,
    isNew: true,
  }));
  const [record] = await told(decisions);
  expect((record!.value as { decisions: unknown[] }).decisions).toHaveLength(500);
});

test('decisions of a partition that their topic does not have go to one that it has', async () => {
  const decided = await topics.create(2);
  const log = new IssuanceLog(publisher, { requested: '-', decided, deadLetter: '-' });
  await log.publishDecided(5, [
    { request: aRequest({ couponId: 7 }), status: 'ISSUED', decidedAt: 5, isNew: true },
  ]);
  const partitions: number[] = [];
  await readTopic(testKafka(), decided, (_, partition) => void partitions.push(partition));
  expect(partitions).toEqual([1]);
});

test('markers of 40 000 coupons of one partition are written in pieces that a broker takes, in their order', async () => {
  const topic = await topics.create(2);
  const log = new IssuanceLog(publisher, { requested: topic, decided: '-', deadLetter: '-' });
  const coupons = Array.from({ length: 40_000 }, (_, i) => ({
    couponId: couponIdMax - i,
    kafkaPartition: 1,
    epoch: 1_000_000 + i,
  }));
  await log.publishMarkers(coupons);
  const marked: number[] = [];
  await readTopic(testKafka(), topic, ({ value }, partition) => {
    const record = parseRequestRecord(value);
    expect([partition, record.kind]).toEqual([1, 'marker']);
    if (record.kind === 'marker') {
      expect(record.marker.epochs.length).toBeLessThanOrEqual(500);
      marked.push(...record.marker.epochs.map(({ couponId }) => couponId));
    }
  });
  expect(marked).toEqual(coupons.map(({ couponId }) => couponId));
});
