import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../infra/local/processes/apps.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import type { Told } from '../../infra/harness/assign.ts';
import { userIds } from '../harness/fixtures.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';

let scenario: FaultScenario;
let stores: StackStores;
let proxy: TcpProxy;
/** Not among the apis of the rush, so that what is swallowed is known. */
let api: App;

beforeAll(async () => {
  scenario = await FaultScenario.start();
  const { stack } = scenario;
  stores = new StackStores(stack);
  const redisUrl = stack.env['GATE_REDIS_URL']!;
  proxy = await TcpProxy.before(redisUrl);
  const env = { GATE_REDIS_URL: proxy.through(redisUrl) };
  api = await stack.startApp('api', env, { isApart: true });
});
afterAll(async () => {
  await api?.stop();
  await proxy?.close();
  await stores?.close();
  await scenario?.stop();
});

/** The reply of reserve.lua ends with an issuance id. */
const isReserved = (reply: Buffer): boolean => /-[0-9a-f]{12}\r\n$/.test(reply.toString('latin1'));
/** The reply of confirm.lua: 1, epoch and serial. That of reserve.lua is longer. */
const isConfirmed = (piece: Buffer): boolean =>
  /\*3\r\n:1\r\n:\d+\r\n:\d+\r\n/.test(piece.toString('latin1'));

/** Has these users ask while replies are swallowed; returns their answers, which are all 503. */
async function askInVain(isFirst: (reply: Buffer) => boolean, users: string[]): Promise<Told[]> {
  const swallowed = proxy.repliesSwallowed;
  proxy.swallowReplies(isFirst);
  const answers = await Promise.all(users.map((user) => scenario.ask(user, { api })));
  proxy.cut();
  expect(answers.map(({ status }) => status)).toEqual(users.map(() => 503));
  expect(proxy.repliesSwallowed).toBeGreaterThan(swallowed);
  return answers;
}

/** Whoever was reserved for keeps that id, and has taken one unit. */
async function expectHeldOnce(answers: Told[], epoch: number): Promise<void> {
  // Those who found no trip to Redis were not sent.
  const sent = answers.filter(({ body }) => body.code !== 'OVERLOADED');
  expect(sent.length).toBeGreaterThan(0);
  const users = sent.map(({ userId }) => userId);
  const held = await stores.gate.heldBy(scenario.couponId, users);
  expect(held).not.toContain(null);
  for (const [i, user] of users.entries()) {
    const { status, headers, body } = await scenario.askUntilFinal(user, { api });
    expect([status, body.issuance_id]).toEqual([200, held[i]]);
    expect(headers.get('idempotent-replayed')).toBe('true');
  }
  // Had the stock dropped twice for somebody, the gate would have shut itself and be in a later one.
  expect(await stores.epochOf(scenario.couponId)).toBe(epoch);
}

describe('a reply of Redis that is swallowed', () => {
  test('of a reserve: the stock drops once, the client gets 503, and its repeat the same id', async () => {
    const epoch = await stores.epochOf(scenario.couponId);
    await expectHeldOnce(await askInVain(isReserved, userIds(20, 'reserving')), epoch);
  });

  test('of a confirm: the client gets 503 with its id, and its repeat the same', async () => {
    const epoch = await stores.epochOf(scenario.couponId);
    const answers = await askInVain(isConfirmed, userIds(20, 'confirming'));
    expect(answers.map(({ body }) => body.code)).toContain('UNCONFIRMED');
    await expectHeldOnce(answers, epoch);
  });

  test('nothing is lost, and nobody has two', async () => {
    await scenario.expectNothingLost();
    scenario.expectOneIdEach();
  });
});
