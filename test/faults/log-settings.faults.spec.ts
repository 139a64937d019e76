import type { Admin } from 'kafkajs';
import { ConfigResourceTypes } from '#event-log/kafkajs.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AppKind } from '../../infra/local/processes/apps.ts';
import { appKinds } from '../../infra/local/processes/apps.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';

const checkedAgainInMs = 90_000;

let scenario: FaultScenario;
let admin: Admin;
let requested: string;
let decided: string;

beforeAll(async () => {
  scenario = await FaultScenario.start();
  requested = `${scenario.stack.name}.coupon.issuance.requested`;
  decided = `${scenario.stack.name}.coupon.issuance.decided`;
  admin = scenario.stack.space.kafka().admin();
  await admin.connect();
});
afterAll(async () => {
  await admin.disconnect();
  await scenario.stop();
});

async function configure(name: string, settings: Record<string, string>): Promise<void> {
  const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
  const type = ConfigResourceTypes.TOPIC;
  await admin.alterConfigs({ validateOnly: false, resources: [{ type, name, configEntries }] });
}

function readiness(kind: AppKind) {
  return scenario.stack.app(kind).readiness();
}

/** Of partition 0 of the requests. */
async function standstill(kind: AppKind, metric: string): Promise<number> {
  const line = (await scenario.stack.app(kind).metrics())
    .split('\n')
    .find((each) => each.startsWith(`${metric}{`) && each.includes('partition="0"'));
  return Number(line?.split(' ').at(-1));
}

async function untilAllReady(): Promise<void> {
  const all = async (): Promise<boolean> => {
    const answers = await Promise.all(appKinds.map(readiness));
    return answers.every((answer) => answer?.status === 200);
  };
  await eventually(all, checkedAgainInMs);
}

describe('topics as somebody else made them', () => {
  /** Kafka puts back what is not named: the settings a topic was created with are gone as well. */
  test('one that may delete requests unread: no process is ready, each says why and what to run; mended, all are', async () => {
    await configure(requested, { 'retention.bytes': '1048576', 'cleanup.policy': 'compact' });
    for (const kind of appKinds) {
      await eventually(async () => (await readiness(kind))?.status === 503, checkedAgainInMs);
      const { text } = (await readiness(kind))!;
      expect(text).toContain(`retention.bytes of ${requested} is 1048576, and should be -1`);
      expect(text).toContain(`cleanup.policy of ${requested} is compact, and should be delete`);
      expect(text).toContain(`--entity-name ${requested} --add-config retention.bytes=-1`);
    }
    await configure(requested, { 'message.timestamp.type': 'LogAppendTime' });
    await untilAllReady();
    await scenario.untilServed();
  });

  test('compressed by the topic, in each way: what is asked is issued', async () => {
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
      await configure(requested, {
        'message.timestamp.type': 'LogAppendTime',
        'compression.type': codec,
      });
      await scenario.untilServed();
      await scenario.untilIssued();
    }
    await eventually(async () => {
      const answer = await readiness('issuer');
      return answer?.status === 200 && answer.text.includes(`compression.type of ${requested}`);
    }, checkedAgainInMs);
  });

  test('that refuses what the issuer writes: it says which partition stands still, for how long and why, until it goes on', async () => {
    await configure(decided, {
      'message.timestamp.type': 'LogAppendTime',
      'max.message.bytes': '100',
    });
    await scenario.untilServed();
    await eventually(async () => {
      const text = (await readiness('issuer'))?.text ?? '';
      return text.includes(`partition 0 of ${requested} has not come further for `);
    }, checkedAgainInMs);
    expect((await readiness('issuer'))!.text).toContain(
      'Kafka did not confirm because the brokers refuse it',
    );
    expect(await standstill('issuer', 'firstcome_partition_stuck_seconds')).toBeGreaterThan(30);
    expect(await standstill('keeper', 'firstcome_partition_unmoved_seconds')).toBeGreaterThan(20);

    await configure(decided, { 'message.timestamp.type': 'LogAppendTime' });
    await scenario.untilIssued();
    await untilAllReady();
    expect(await standstill('issuer', 'firstcome_partition_stuck_seconds')).toBeLessThan(10);
    await eventually(
      async () => (await standstill('keeper', 'firstcome_partition_unmoved_seconds')) < 10,
    );
  });

  test('with fewer partitions of decisions than of requests: all are decided and told', async () => {
    const partitions = 3;
    await admin.createPartitions({ topicPartitions: [{ topic: requested, count: partitions }] });
    await scenario.stack.app('issuer').stop();
    await scenario.stack.startApp('issuer');
    const ends = await admin.fetchTopicOffsets(decided);
    expect(ends).toHaveLength(partitions - 1);
    // One after another, for one of them to be on the partition that is new.
    const ids: number[] = [];
    while (ids.length < partitions) {
      ids.push(await scenario.stack.createCoupon(10));
    }
    const told = await Promise.all(
      ids.map((couponId) => scenario.askUntilFinal(`asks-${couponId}`, { couponId })),
    );
    await Promise.all(told.map(({ body }) => scenario.issued(body.issuance_id)));
  });

  test('nothing that was acknowledged is lost, and verify holds', async () => {
    await scenario.expectNothingLost();
    scenario.expectOneIdEach();
  });
});
