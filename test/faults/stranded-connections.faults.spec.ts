import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { SpareBroker, spareBrokerProblem } from '../harness/servers/spare-broker.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';
import { testConfig } from '../harness/test-config.ts';

let broker: SpareBroker;
let redis: TcpProxy;
let mysql: TcpProxy;
let scenario: FaultScenario;

beforeAll(async () => {
  if (spareBrokerProblem === undefined) {
    broker = await SpareBroker.create();
    await broker.server.start();
    const config = testConfig();
    redis = await TcpProxy.before(config.GATE_REDIS_URL);
    mysql = await TcpProxy.before(config.MYSQL_URL);
    scenario = await FaultScenario.start({
      env: {
        KAFKA_BROKERS: broker.proxied,
        GATE_REDIS_URL: redis.through(config.GATE_REDIS_URL),
        MYSQL_URL: mysql.through(config.MYSQL_URL),
      },
    });
  }
});
beforeEach(({ skip }) => skip(spareBrokerProblem !== undefined, spareBrokerProblem));
afterAll(async () => {
  try {
    await scenario?.stop();
  } finally {
    await Promise.all([redis?.close(), mysql?.close(), broker?.remove()]);
  }
});

test.each([
  ['Redis', () => redis],
  ['Kafka', () => broker.proxy],
  ['MySQL', () => mysql],
])(
  'connections to %s that are dead without a word are made anew, under load, and nothing is lost',
  async (_, proxy) => {
    await scenario.untilIssued();
    proxy().strand();
    const startedAt = performance.now();
    await scenario.untilServed();
    await scenario.untilIssued();
    // TCP itself would have needed a quarter of an hour.
    expect(performance.now() - startedAt).toBeLessThan(180_000);
    await scenario.expectNothingLostSoFar();
  },
);
