import type { Admin } from 'kafkajs';
import kafkajs from '#event-log/kafkajs.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CheckResult } from '#platform/checks/check.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { firstcome } from '../../infra/local/processes/cli.ts';
import { SpareBroker, spareBrokerProblem } from '../harness/servers/spare-broker.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const user = 'firstcome';
const password = 'no secret';

let broker: SpareBroker | undefined;
let stack: Stack;
let stores: StackStores;
let admin: Admin;
/** Leads processes to the broker as a user who may do what he was given, and nothing else. */
let restricted: Record<string, string>;

beforeAll(async () => {
  if (spareBrokerProblem !== undefined) {
    return;
  }
  // Whoever comes without a login may do everything: the broker itself, and this test.
  broker = await SpareBroker.create({
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,PROXIED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
    'listener.name.proxied.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.proxied.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  });
  await broker.server.start();
  restricted = {
    KAFKA_BROKERS: broker.proxied,
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: password,
  };
  stack = await prepareStack({ KAFKA_BROKERS: broker.direct });
  stores = await StackStores.connect(stack);
  admin = stack.space.kafka().admin();
  await admin.connect();
  // Made by who may do everything; they are to be made by our user.
  await admin.deleteTopics({ topics: await ourTopics() });
  const { TOPIC, GROUP, CLUSTER } = AclResourceTypes;
  const ours = `${stack.name}.coupon.issuance.`;
  const once = ResourcePatternTypes.LITERAL;
  await give(['READ', 'WRITE', 'DESCRIBE_CONFIGS', 'CREATE'], TOPIC, ours);
  await give(['READ'], GROUP, `${stack.name}.firstcome-issuer`, once);
  await give(['READ', 'DELETE'], GROUP, ours);
  await give(['DESCRIBE_CONFIGS'], CLUSTER, 'kafka-cluster', once);
});
beforeEach(({ skip }) => skip(spareBrokerProblem !== undefined, spareBrokerProblem));
afterAll(async () => {
  await admin?.disconnect();
  await stores?.close();
  await stack?.stop();
  await broker?.remove();
});

async function give(
  operations: (keyof typeof AclOperationTypes)[],
  resourceType: kafkajs.AclResourceTypes,
  resourceName: string,
  resourcePatternType = ResourcePatternTypes.PREFIXED,
): Promise<void> {
  const acl = operations.map((operation) => ({
    resourceType,
    resourceName,
    resourcePatternType,
    principal: `User:${user}`,
    host: '*',
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
  }));
  await admin.createAcls({ acl });
}

async function ourTopics(): Promise<string[]> {
  return (await admin.listTopics()).filter((topic) => topic.startsWith(`${stack.name}.`));
}

async function kafkaChecks(): Promise<CheckResult[]> {
  const { stdout } = await firstcome({ ...stack.env, ...restricted }, 'doctor', '--json');
  const { checks } = JSON.parse(stdout) as { checks: CheckResult[] };
  return checks.filter(({ name }) => name.startsWith('kafka'));
}

describe('a user of Kafka with no more than the documented rights', () => {
  test('makes the topics', async () => {
    await expect.poll(ourTopics).toEqual([]);
    const migrated = await firstcome({ ...stack.env, ...restricted }, 'migrate');
    expect(migrated.exitCode, migrated.stderr).toBe(0);
    expect(await ourTopics()).toHaveLength(3);
  });

  test('runs api, issuer and keeper: assigned, issued, rebuilt, put aside, verified', async () => {
    const couponId = await stack.createCoupon(10);
    for (const kind of ['keeper', 'issuer', 'api'] as const) {
      await stack.startApp(kind, restricted);
    }
    const idOf = async (userId: string): Promise<string> => {
      const ask = () => stack.assign(couponId, userId);
      await expect.poll(async () => (await ask()).status, { timeout: 60_000 }).toBe(200);
      return (await ask()).body.issuance_id;
    };
    const untilIssued = async (id: string): Promise<void> => {
      const status = async () => (await stack.request(`/api/v1/issuances/${id}`)).body.status;
      await expect.poll(status, { timeout: 60_000 }).toBe('ISSUED');
    };
    const first = await idOf('ann');
    await untilIssued(first);
    await stack.space.emptyGate();
    expect(await idOf('ann')).toBe(first);
    await untilIssued(await idOf('bob'));

    const producer = stack.space.kafka().producer();
    await producer.connect();
    const topic = `${stack.name}.coupon.issuance.requested`;
    await producer.send({ topic, messages: [{ partition: 0, value: 'no request' }] });
    await producer.disconnect();
    const letters = () => stores.query('SELECT id FROM dead_letter');
    await expect.poll(async () => (await letters()).length, { timeout: 60_000 }).toBe(1);

    const verified = await firstcome({ ...stack.env, ...restricted }, 'verify', '--wait', '60');
    expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
    const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId);
    expect(groups.filter((groupId) => groupId.startsWith(stack.name))).toEqual([
      `${stack.name}.firstcome-issuer`,
    ]);
  });

  test('is missing none by doctor', async () => {
    const bad = (await kafkaChecks()).filter(({ verdict }) =>
      ['away', 'promise_void'].includes(verdict),
    );
    expect(bad).toEqual([]);
  });

  test('is told by doctor which one is missing', async () => {
    await admin.deleteAcls({
      filters: [
        {
          resourceType: AclResourceTypes.CLUSTER,
          resourceName: 'kafka-cluster',
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: `User:${user}`,
          host: '*',
          operation: AclOperationTypes.DESCRIBE_CONFIGS,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    });
    const told = (await kafkaChecks()).filter(({ verdict }) => verdict === 'away');
    expect(told).toMatchObject([
      { name: 'kafka.brokers', remedy: expect.stringContaining('DescribeConfigs on the cluster') },
    ]);
  });
});
