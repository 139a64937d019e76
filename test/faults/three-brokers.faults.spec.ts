import type { Admin } from 'kafkajs';
import { Kafka, logLevel } from '#event-log/kafkajs.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { userIds } from '../harness/fixtures.ts';
import { spareBrokerProblem } from '../harness/servers/spare-broker.ts';
import { type ClusterNode, SpareCluster } from '../harness/servers/spare-cluster.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { timeoutsBesideKafka } from '../harness/stack/test-stack.ts';

const replicas = 3;

let cluster: SpareCluster;
let scenario: FaultScenario;
let admin: Admin;
let topic: string;

beforeAll(async () => {
  if (spareBrokerProblem !== undefined) {
    return;
  }
  cluster = await SpareCluster.create();
  await cluster.start();
  const env = {
    ...timeoutsBesideKafka,
    KAFKA_BROKERS: cluster.brokers,
    KAFKA_REPLICATION_FACTOR: String(replicas),
    KAFKA_MIN_INSYNC_REPLICAS: '2',
  };
  scenario = await FaultScenario.start({ env });
  topic = `${scenario.stack.name}.coupon.issuance.requested`;
  admin = new Kafka({ brokers: cluster.brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
beforeEach(({ skip }) => skip(spareBrokerProblem !== undefined, spareBrokerProblem));
afterAll(async () => {
  try {
    await admin?.disconnect();
    await scenario?.stop();
  } finally {
    await cluster?.remove();
  }
});

async function partitions() {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0]!.partitions;
}

/** The node that leads the partition of the coupon. */
async function leader(): Promise<ClusterNode> {
  return eventually(async () => {
    const id = (await partitions()).find(({ partitionId }) => partitionId === 0)!.leader;
    return id > 0 ? cluster.node(id) : undefined;
  });
}

/** Whoever was away has all that the others have. */
async function untilInSync(): Promise<void> {
  await eventually(async () => (await partitions()).every(({ isr }) => isr.length === replicas));
}

async function comesBack(...nodes: ClusterNode[]): Promise<void> {
  await Promise.all(nodes.map(({ server }) => server.start()));
  await untilInSync();
}

describe('three brokers, of which two must have a request, under load', () => {
  test('the leader is killed: another one leads, and it is served and issued before he is back', async () => {
    const killed = await leader();
    await killed.server.stop('SIGKILL');
    await scenario.untilServed();
    await scenario.untilIssued();
    expect((await leader()).id).not.toBe(killed.id);
    await comesBack(killed);
  });

  test('the controller is killed: it is served and issued before he is back', async () => {
    const killed = cluster.controller();
    await killed.server.stop('SIGKILL');
    await eventually(async () => cluster.controller().id !== killed.id);
    await scenario.untilServed();
    await scenario.untilIssued();
    await comesBack(killed);
  });

  test('a broker loses its disk: it fills itself anew, and then the two others may go', async () => {
    const wiped = await leader();
    await wiped.server.stop('SIGKILL');
    cluster.wipe(wiped);
    await scenario.untilServed();
    await comesBack(wiped);

    const others = cluster.nodes.filter((node) => node !== wiped);
    const users = userIds(20, 'two-away');
    await Promise.all(others.map(({ server }) => server.stop('SIGKILL')));
    const told = await Promise.all(users.map((user) => scenario.ask(user)));
    expect(told.map(({ status, body }) => [status, body.code])).toEqual(
      users.map(() => [503, 'UNCONFIRMED']),
    );

    await comesBack(...others);
    await scenario.untilServed();
    const again = await Promise.all(users.map((user) => scenario.askUntilFinal(user)));
    expect(again.map(({ status, body }) => [status, body.issuance_id])).toEqual(
      told.map(({ body }) => [200, body.issuance_id]),
    );
  });

  test('nothing that was acknowledged is lost, nobody has two ids, and verify holds', async () => {
    await scenario.untilIssued();
    await scenario.expectNothingLost();
    scenario.expectOneIdEach();
  });
});
