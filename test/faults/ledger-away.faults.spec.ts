import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../infra/local/processes/apps.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { OwnServer } from '../harness/servers/own-server.ts';

const frozenMs = 60_000;
const queryTimeoutMs = 2_000;
/** A wait for a connection and one for an answer, on a machine that is busy. */
const answerMsMax = 2 * queryTimeoutMs + 6_000;

const mysql = new OwnServer('mysql');
let scenario: FaultScenario;
let issuer: App;

beforeAll(async () => {
  scenario = await FaultScenario.start({
    env: { MYSQL_QUERY_TIMEOUT_MS: String(queryTimeoutMs) },
  });
  issuer = scenario.stack.app('issuer');
});
afterEach(async () => {
  mysql.thaw();
  await mysql.start();
});
afterAll(() => scenario.stop());

/** What an api says that needs MySQL for its answer, and after how long. */
async function ask(path: string): Promise<{ code: string; ms: number }> {
  const startedAt = performance.now();
  const { body } = await scenario.stack.request(path);
  return { code: body.code, ms: performance.now() - startedAt };
}

/** Far more than there are connections: who waits for one is told in time as well. */
const wallets = Array.from({ length: 30 }, (_, i) => `/api/v1/users/user-${i}/coupons`);

async function expectToldInTime(paths: string[]): Promise<void> {
  for (const { code, ms } of await Promise.all(paths.map(ask))) {
    expect(code).toBe('UNAVAILABLE');
    expect(ms).toBeLessThan(answerMsMax);
  }
}

function joins(): number {
  return issuer.output.split('joined the consumer group').length;
}

describe('MySQL', () => {
  test.for([1, 2, 3])(
    'killed in the middle of a batch, time %i: assigns go on, and the issuer goes on when it is back',
    async (_time, context) => {
      mysql.require(context);
      await scenario.untilIssued();
      await mysql.stop('SIGKILL');
      await scenario.untilServed();
      await mysql.start();
      await scenario.untilServed();
      await scenario.untilIssued();
      expect(issuer.isRunning).toBe(true);
    },
  );

  test('frozen for 60 s: assigns go on, who needs MySQL is told in time, and nobody hangs or dies', async (context) => {
    mysql.require(context);
    await scenario.untilIssued();
    const joinsBefore = joins();
    // All connections of the pool are made, and in use when MySQL freezes.
    await Promise.all(wallets.map(ask));
    await mysql.freeze();
    const thawAt = performance.now() + frozenMs;
    await expectToldInTime(wallets);
    await scenario.untilServed();
    const { status_url: undecided } = scenario.rush.accepted.at(-1)!.body;

    await eventually(async () => (await issuer.readiness())?.status === 503);
    expect((await issuer.readiness())?.text).toContain('MySQL is not reachable: no answer within');
    expect((await scenario.stack.app('api').readiness())?.status).toBe(200);
    while (performance.now() < thawAt) {
      await expectToldInTime([undecided, ...wallets]);
      await scenario.untilServed();
      await delay(1_000);
    }
    expect(joins()).toBe(joinsBefore);

    mysql.thaw();
    await scenario.untilServed();
    await scenario.untilIssued();
    expect(issuer.isRunning).toBe(true);
    await issuer.ready(60_000);
  });

  test('nothing is lost, and nobody has two', () => scenario.expectNothingLost());
});
