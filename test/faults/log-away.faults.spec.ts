import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { userIds } from '../harness/fixtures.ts';
import { OwnServer } from '../harness/servers/own-server.ts';
import type { Told } from '../../infra/harness/assign.ts';
import { timeoutsBesideKafka } from '../harness/stack/test-stack.ts';

/** Two waits of 4 s and a publish of 3 s; the rest is the machine's. */
const boundMs = 11_000 + 4_000;
/** Longer than the session of a consumer lasts, and than a publish waits. */
const frozenMs = 12_000;

const broker = new OwnServer('kafka');
let scenario: FaultScenario;

beforeAll(async () => {
  scenario = await FaultScenario.start({ env: timeoutsBesideKafka });
});
beforeEach((context) => broker.require(context));
afterEach(async () => {
  broker.thaw();
  await broker.start();
});
afterAll(() => scenario?.stop());

/**
 * Has many ask at once while nothing can be published, and ask again meanwhile: a repeat is promised
 * no more than the first was. Returns their answers.
 */
async function expectUnconfirmed(users: string[]): Promise<Told[]> {
  const answers = await askInVain(users);
  const repeats = await askInVain(users);
  expect(repeats.map(({ body }) => body.issuance_id)).toEqual(
    answers.map(({ body }) => body.issuance_id),
  );
  return answers;
}

async function askInVain(users: string[]): Promise<Told[]> {
  const startedAt = performance.now();
  const answers = await Promise.all(users.map((user) => scenario.ask(user)));
  expect(performance.now() - startedAt).toBeLessThan(boundMs);
  for (const { status, headers, body } of answers) {
    expect([status, body.code]).toEqual([503, 'UNCONFIRMED']);
    expect(body.issuance_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get('retry-after')).toBe('1');
  }
  return answers;
}

/** The same users ask again, later; each is told the id that the 503 named. */
async function expectConfirmed(unconfirmed: Told[]): Promise<void> {
  const answers = await Promise.all(
    unconfirmed.map(({ userId }) => scenario.askUntilFinal(userId)),
  );
  expect(answers.map(({ status, body }) => [status, body.issuance_id])).toEqual(
    unconfirmed.map(({ body }) => [200, body.issuance_id]),
  );
}

describe('Kafka under load', () => {
  test('broker SIGKILL: 503 UNCONFIRMED in bounded time for many at once, and the same ids with 200 later', async () => {
    await broker.stop('SIGKILL');
    const unconfirmed = await expectUnconfirmed(userIds(200, 'killed'));
    await broker.start();
    await scenario.untilServed();
    await expectConfirmed(unconfirmed);
  });

  test('broker SIGSTOP for 12 s, then SIGCONT: 503 UNCONFIRMED in bounded time, and the same ids with 200 later', async () => {
    await broker.freeze();
    const frozenUntil = Date.now() + frozenMs;
    const unconfirmed = await expectUnconfirmed(userIds(200, 'frozen'));
    await delay(frozenUntil - Date.now());
    broker.thaw();
    await scenario.untilServed();
    await expectConfirmed(unconfirmed);
  });

  test('nothing is lost, and nobody has two', async () => {
    await scenario.expectNothingLost();
    scenario.expectOneIdEach();
  });
});
