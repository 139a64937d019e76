import type { Admin } from 'kafkajs';
import { Kafka, logLevel } from '#event-log/kafkajs.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import type { Answer } from '../../infra/harness/assign.ts';

const partitions = 2;

let scenario: FaultScenario;
/** A coupon on the partition that the rush does not use. */
let besideId: number;
let admin: Admin;
let topic: string;
let groupId: string;

beforeAll(async () => {
  scenario = await FaultScenario.start({ env: { KAFKA_PARTITIONS: String(partitions) } });
  besideId = await scenario.stack.createCoupon(1_000);
  topic = `${scenario.stack.name}.coupon.issuance.requested`;
  groupId = `${scenario.stack.name}.firstcome-issuer`;
  const brokers = scenario.stack.env['KAFKA_BROKERS']!.split(',');
  admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(async () => {
  await admin.disconnect();
  await scenario.stop();
});

async function untilIssuerSays(words: string): Promise<void> {
  await eventually(async () => {
    const readiness = await scenario.stack.app('issuer').readiness();
    return readiness?.status === 503 && readiness.text.includes(words);
  });
  expect(scenario.stack.app('issuer').output).toContain(words);
}

async function restartIssuer(): Promise<void> {
  await scenario.stack.app('issuer').stop();
  await scenario.stack.startApp('issuer', {}, { waitUntilReady: false });
}

/** What the command does that the issuer names: `kafka-consumer-groups --reset-offsets --to-earliest`. */
async function goOnFromWhatIsLeft(): Promise<void> {
  await scenario.stack.app('issuer').stop();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.setOffsets({
    groupId,
    topic,
    partitions: ends.map(({ partition, low }) => ({ partition, offset: low })),
  });
  await scenario.stack.startApp('issuer');
}

async function statusOf({ body }: Answer): Promise<string> {
  return (await scenario.stack.request(body.status_url)).body.status;
}

async function committed(): Promise<Map<number, string>> {
  const [entry] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return new Map(entry!.partitions.map(({ partition, offset }) => [partition, offset]));
}

describe('requests that are gone from the log before they were decided', () => {
  test('by retention: their partition stops, in words, the other goes on, and nothing is skipped', async () => {
    await scenario.untilIssued();
    await scenario.stack.app('issuer').stop();
    await scenario.untilServed();
    const lost = scenario.rush.accepted.at(-1)!;
    const ends = await admin.fetchTopicOffsets(topic);
    const end = ends.find(({ partition }) => partition === 0)!.high;
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: end }] });
    await scenario.stack.startApp('issuer', {}, { waitUntilReady: false });

    await untilIssuerSays('were deleted unread');
    await untilIssuerSays(`--group ${groupId} --topic ${topic}:0 --reset-offsets --to-earliest`);
    const before = await committed();
    await scenario.untilServed();
    const beside = await scenario.askUntilFinal('beside', { couponId: besideId });
    await eventually(async () => (await statusOf(beside)) === 'ISSUED');
    expect((await committed()).get(0)).toBe(before.get(0));
    // It was acknowledged: it is neither there nor not there, and the checker names what is missing.
    expect(await statusOf(lost)).toBe('ACCEPTED');

    await restartIssuer();
    await untilIssuerSays('were deleted unread');

    await goOnFromWhatIsLeft();
    await scenario.untilServed();
    await scenario.untilIssued();
    const coupon = String(scenario.couponId);
    const { exitCode, stdout } = await scenario.stack.firstcome('reconcile', '--coupon', coupon);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('MySQL nothing');
  });

  test('with a topic that is deleted and created anew under load: no partition goes on by itself', async () => {
    await scenario.untilIssued();
    await admin.deleteTopics({ topics: [topic] });
    // Kafka takes its time to forget the old one.
    await vi.waitFor(() => scenario.stack.migrate(), { timeout: 60_000, interval: 500 });
    await scenario.untilServed();
    await untilIssuerSays('the topic was created anew');
    const waiting = await scenario.askUntilFinal('waiting', { couponId: besideId });
    expect(waiting.status).toBe(200);

    await restartIssuer();
    await untilIssuerSays('the topic was created anew');
    expect(await statusOf(waiting)).toBe('ACCEPTED');

    await goOnFromWhatIsLeft();
    await scenario.untilServed();
    await scenario.untilIssued();
    await eventually(async () => (await statusOf(waiting)) === 'ISSUED');
  });
});
