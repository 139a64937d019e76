import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createKafka } from '#event-log/kafka-client.ts';
import { readTopic } from '#event-log/inspect/log-reader.ts';
import { topicNames } from '#event-log/topics.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { userIds } from '../harness/fixtures.ts';
import { timeoutsBesideKafka } from '../harness/stack/test-stack.ts';
import { SpareBroker, spareBrokerProblem } from '../harness/servers/spare-broker.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { testConfig } from '../harness/test-config.ts';

let broker: SpareBroker;
let scenario: FaultScenario;
let stores: StackStores;
/** Not among the apis of the rush, which goes on beside it. */
let api: App;

beforeAll(async () => {
  if (spareBrokerProblem === undefined) {
    broker = await SpareBroker.create();
    await broker.server.start();
    // No keeper yet: its relay would publish what the test looks for.
    const env = { ...timeoutsBesideKafka, KAFKA_BROKERS: broker.direct };
    scenario = await FaultScenario.start({ apps: ['api', 'issuer'], env });
    stores = new StackStores(scenario.stack);
    const proxied = { KAFKA_BROKERS: broker.proxied };
    api = await scenario.stack.startApp('api', proxied, { isApart: true });
  }
});
beforeEach(({ skip }) => skip(spareBrokerProblem !== undefined, spareBrokerProblem));
afterAll(async () => {
  await stores?.close();
  try {
    await scenario?.stop();
  } finally {
    await broker?.remove();
  }
});

/** The reply to a produce names its topic behind size, correlation id, and the number of topics. */
function isProduced(piece: Buffer): boolean {
  const { requested } = topicNames(`${scenario.stack.name}.`);
  const startsAt = (from: number): boolean =>
    piece
      .subarray(from + 14)
      .toString('latin1')
      .startsWith(requested);
  // Other replies may come in the same piece; one that begins in the middle of a reply has no sizes.
  for (let from = 0; from + 4 <= piece.length; from += 4 + Math.max(0, piece.readInt32BE(from))) {
    if (startsAt(from)) {
      return true;
    }
  }
  return false;
}

describe('a reply of Kafka to a produce that is swallowed', () => {
  const users = userIds(20, 'swallowed');

  test('503 UNCONFIRMED although it was written; a repeat gets the same id, written twice is issued once', async () => {
    // Its producer must know the brokers: what it asks them first is not to be swallowed.
    expect((await scenario.askUntilFinal('first', { api })).status).toBe(200);
    broker.proxy.swallowReplies(isProduced);
    const told = await Promise.all(users.map((user) => scenario.ask(user, { api })));
    for (const { status, body } of told) {
      expect([status, body.code]).toEqual([503, 'UNCONFIRMED']);
    }
    const idOf = new Map(told.map(({ userId, body }) => [userId, body.issuance_id as string]));
    expect(await api.metrics()).toMatch(
      /^firstcome_failures_total\{code="UNCONFIRMED",cause="log_timeout"[^}]*\} [1-9]/m,
    );
    // It was written: nobody else would publish it, and it is issued while its client knows nothing.
    await expect.poll(() => written()).toBeGreaterThan(0);
    expect(broker.proxy.repliesSwallowed).toBeGreaterThan(0);
    broker.proxy.cut();

    const again = await Promise.all(users.map((user) => scenario.askUntilFinal(user, { api })));
    expect(again.map(({ status, body }) => [status, body.issuance_id])).toEqual(
      told.map(({ body }) => [200, body.issuance_id]),
    );
    await expect.poll(() => written()).toBe(users.length);
    expect(await timesWritten(new Set(idOf.values()))).toBeGreaterThan(users.length);
    const issued = await stores.issuedIds(scenario.couponId);
    expect(new Map(users.map((user) => [user, issued.get(user)]))).toEqual(idOf);
  });

  test('nothing is lost, and nobody has two', async () => {
    await scenario.stack.startApp('keeper');
    await scenario.expectNothingLost();
    scenario.expectOneIdEach();
  });

  /** How many records of the log are about these issuances. */
  async function timesWritten(ids: Set<string>): Promise<number> {
    const kafka = createKafka(testConfig({ KAFKA_BROKERS: broker.direct }), 'test');
    const { requested } = topicNames(`${scenario.stack.name}.`);
    let count = 0;
    await readTopic(kafka, requested, ({ value }) => {
      const { issuance_id: id } = JSON.parse(String(value)) as { issuance_id: string };
      count += ids.has(id) ? 1 : 0;
    });
    return count;
  }

  async function written(): Promise<number> {
    const issued = await stores.issuedIds(scenario.couponId);
    return users.filter((user) => issued.has(user)).length;
  }
});
