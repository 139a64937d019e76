import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FaultScenario } from '../support/fault-scenario.ts';
import { SpareBroker, spareBrokerProblem } from '../support/spare-broker.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { testConfig } from '../support/test-config.ts';

let broker: SpareBroker;
let redis: TcpProxy;
let mysql: TcpProxy;
let scenario: FaultScenario;

beforeAll(async () => {
  if (spareBrokerProblem === undefined) {
    broker = await SpareBroker.create();
    await broker.server.start();
    const config = testConfig();
    redis = await proxyOf(config.GATE_REDIS_URL);
    mysql = await proxyOf(config.MYSQL_URL);
    scenario = await FaultScenario.start({
      env: {
        KAFKA_BROKERS: broker.proxied,
        GATE_REDIS_URL: through(redis, config.GATE_REDIS_URL),
        MYSQL_URL: through(mysql, config.MYSQL_URL),
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

function proxyOf(serverUrl: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(serverUrl);
  return TcpProxy.start({ host: hostname, port: Number(port) });
}

function through(proxy: TcpProxy, serverUrl: string): string {
  const url = new URL(serverUrl);
  url.host = `127.0.0.1:${proxy.port}`;
  return url.toString();
}

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
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    await scenario.expectNothingLostSoFar();
  },
);
