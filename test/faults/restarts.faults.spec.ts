import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../infra/local/processes/waiting.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { userIds } from '../harness/fixtures.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';

const kinds = ['api', 'issuer', 'keeper'] as const;
const stopTimeoutMs = 10_000;

let scenario: FaultScenario;
let stores: StackStores;
let redis: TcpProxy;

beforeAll(async () => {
  scenario = await FaultScenario.start({ apps: kinds.flatMap((kind) => [kind, kind]) });
  stores = await StackStores.connect(scenario.stack);
  redis = await TcpProxy.before(scenario.stack.env['GATE_REDIS_URL']!);
});
afterEach(() => scenario.expectNothingLostSoFar());
afterAll(async () => {
  await stores.close();
  await scenario.stop();
  await redis.close();
});

/** Ends it in the middle of its work, as a deployment does. */
async function expectToEndInOrder(app: App): Promise<void> {
  const startedAt = performance.now();
  app.signal('SIGTERM');
  expect(await app.exit(), app.output).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(stopTimeoutMs);
}

/** Why requests were not answered, each reason once. */
function reasonsOf(errors: unknown[]): Set<string | undefined> {
  const causes = errors.map((error) => (error as { cause?: { code?: string } }).cause);
  return new Set(causes.map((cause, i) => cause?.code ?? String(errors[i])));
}

describe('SIGTERM under load', () => {
  test('a rolling restart of every process, one after another: what is asked is answered, or the connection refused', async () => {
    const { stack, rush } = scenario;
    for (const app of Array.from(stack.apps)) {
      await expectToEndInOrder(app);
      await stack.startApp(app.plan.kind);
      await scenario.untilServed();
    }
    await scenario.untilIssued();
    expect([...reasonsOf(rush.unanswered)].filter((reason) => reason !== 'ECONNREFUSED')).toEqual(
      [],
    );
  });

  test('to all processes at once: every request in flight gets an answer, a true one, and all exit with 0 in under 10 s', async () => {
    const { stack, rush } = scenario;
    const couponId = await stack.createCoupon(1_000);
    const api = await stack.startApp('api', {
      GATE_REDIS_URL: redis.through(stack.env['GATE_REDIS_URL']!),
      GATE_TIMEOUT_MS: '5000',
      ASSIGN_WAIT_MAX_MS: '5000',
    });
    redis.delayMs = 200;
    const users = userIds(300, 'in-flight');
    const answers = users.map((userId) => stack.assign(couponId, userId, { api }));
    // All are in its hands then, and none is answered before the gate's reply is back.
    await eventually(async () => (await stores.gate.inspect(couponId)).holders === users.length);
    const running = kinds.flatMap((kind) => stack.running(kind));
    await Promise.all(running.map((app) => expectToEndInOrder(app)));

    const answered = await Promise.all(answers);
    answered.forEach((answer, i) => rush.keep({ ...answer, userId: users[i]! }));
    expect(answered.filter(({ status }) => status !== 200)).toEqual([]);
    await Promise.all(kinds.map((kind) => stack.startApp(kind)));
    await scenario.untilIssued();
  });
});
