import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ServerName } from '../../infra/local/processes/paths.ts';
import { serverNames } from '../../infra/local/processes/paths.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { OwnServer } from '../harness/servers/own-server.ts';

const kinds = ['api', 'issuer', 'keeper'] as const;
const readyTimeoutMs = 90_000;

const servers = new Map(serverNames.map((name) => [name, new OwnServer(name)]));
let scenario: FaultScenario;

beforeAll(async () => {
  scenario = await FaultScenario.start({ clients: 2 });
});
afterEach(async () => {
  await Promise.all([...servers.values()].map((server) => server.start()));
  await scenario.expectNothingLostSoFar();
});
afterAll(() => scenario.stop());

/** Nothing runs any more, as after a power cut, except that everybody ended in order. */
async function stopEverything(): Promise<void> {
  await scenario.rush.pause();
  await Promise.all(kinds.map((kind) => scenario.stack.app(kind).stop()));
  await Promise.all([...servers.values()].map((server) => server.stop()));
}

/** What is missing, as each process that waits for it says it. */
const complaints: Record<ServerName, Partial<Record<(typeof kinds)[number], string>>> = {
  mysql: {
    api: 'the coupons have not been read from MySQL yet',
    issuer: 'MySQL is not reachable',
    keeper: 'MySQL is not reachable',
  },
  'gate-redis': {
    api: 'the gate Redis is not reachable',
    issuer: 'the gate Redis is not reachable',
    keeper: 'the gate Redis is not reachable',
  },
  kafka: {
    api: 'Kafka is not reachable',
    issuer: 'waiting to join the consumer group',
    keeper: 'Kafka is not reachable',
  },
  // Nobody needs it to be ready.
  'jobs-redis': {},
};

async function expectComplaints(apps: App[], missing: ServerName[]): Promise<void> {
  for (const app of apps) {
    for (const name of missing) {
      await expect
        .poll(async () => (await app.readiness())?.text, { timeout: readyTimeoutMs })
        .toContain(complaints[name][app.plan.kind] ?? '');
    }
    expect((await app.readiness())?.status).toBe(503);
  }
}

describe('api, issuer and keeper are started first, the servers afterwards', () => {
  const orders: ServerName[][] = [
    ['mysql', 'kafka', 'gate-redis', 'jobs-redis'],
    ['jobs-redis', 'gate-redis', 'kafka', 'mysql'],
    ['gate-redis', 'mysql', 'jobs-redis', 'kafka'],
  ];

  test.for(orders)(
    '%s, %s, %s, %s: they wait, say in words for what, and serve by themselves',
    async (order, context) => {
      servers.forEach((server) => server.require(context));
      const { stack } = scenario;
      await stopEverything();
      const apps = await Promise.all(
        kinds.map((kind) => stack.startApp(kind, {}, { waitUntilReady: false })),
      );
      for (const [i, name] of order.entries()) {
        const missing = order.slice(i).filter((each) => each !== 'jobs-redis');
        if (missing.length > 0) {
          await expectComplaints(apps, missing);
        }
        await servers.get(name)!.start();
      }
      await Promise.all(apps.map((app) => app.ready(readyTimeoutMs)));
      scenario.rush.resume();
      await scenario.untilServed();
      await scenario.untilIssued();
    },
  );
});
