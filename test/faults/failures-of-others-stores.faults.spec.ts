import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { gateKeys } from '#gate/keys.ts';
import type { GateKeys } from '#gate/keys.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { userIds } from '../harness/fixtures.ts';
import { OwnServer } from '../harness/servers/own-server.ts';
import type { Told } from '../../infra/harness/assign.ts';
import { timeoutsBesideKafka } from '../harness/stack/test-stack.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';

// Each of these was found in a system of the same kind that was published.

const total = 10;

const broker = new OwnServer('kafka');
const gateRedis = new OwnServer('gate-redis');
let scenario: FaultScenario;
let stores: StackStores;

beforeAll(async () => {
  scenario = await FaultScenario.start({ env: timeoutsBesideKafka });
  stores = new StackStores(scenario.stack);
});
beforeEach((context) => {
  broker.require(context);
  gateRedis.require(context);
});
afterEach(async () => {
  broker.thaw();
  await endEviction();
});
afterAll(async () => {
  await stores?.close();
  await scenario?.stop();
});

/** A coupon of ten, which the apis know. */
async function createCoupon(): Promise<number> {
  const [couponId] = await stores.createCoupons(1, 2, { total });
  await eventually(
    async () => (await scenario.stack.request(`/api/v1/coupons/${couponId}`)).status === 200,
  );
  return couponId!;
}

function askAll(couponId: number, users: string[]): Promise<Told[]> {
  return Promise.all(users.map((user) => scenario.ask(user, { couponId })));
}

function askAllUntilFinal(couponId: number, users: string[]): Promise<Told[]> {
  return Promise.all(users.map((user) => scenario.askUntilFinal(user, { couponId })));
}

function idsOf(answers: Told[]): Map<string, string> {
  return new Map(answers.map(({ userId, body }) => [userId, body.issuance_id as string]));
}

function expectUnconfirmed(answers: Told[]): void {
  expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
    answers.map(() => [503, 'UNCONFIRMED']),
  );
}

/** Of all who asked, as many as there were units were told 200, and it is them who have it. */
async function expectIssuedToTheUnit(couponId: number, answers: Told[]): Promise<void> {
  const accepted = answers.filter(({ status }) => status === 200);
  const others = answers.filter(({ status }) => status !== 200);
  expect(new Set(others.map(({ body }) => body.code))).toEqual(new Set(['SOLD_OUT']));
  expect(accepted).toHaveLength(total);
  await expect.poll(() => stores.issuedIds(couponId), { timeout: 90_000 }).toEqual(idsOf(accepted));
}

describe('keys of the gate that are lost in the middle of a sale', () => {
  type Lose = (key: string) => Promise<unknown>;
  const ways: Record<string, Lose> = {
    deleted: (key) => stores.redis.del(key),
    expired: async (key) => {
      await stores.redis.pexpire(key, 1);
      await eventually(async () => (await stores.redis.exists(key)) === 0);
    },
    evicted: evictEverything,
  };

  test.each<[keyof GateKeys, keyof typeof ways]>([
    ['meta', 'deleted'],
    ['meta', 'expired'],
    ['holders', 'deleted'],
    ['holders', 'expired'],
    ['holders', 'evicted'],
  ])(
    '%s, %s: of 10 units never more than 10 are issued, and the gate is rebuilt',
    async (name, way) => {
      const couponId = await createCoupon();
      const early = await askAllUntilFinal(couponId, userIds(6, 'early'));
      await ways[way]!(gateKeys(`${scenario.stack.name}:`, couponId)[name]);

      const late = await askAllUntilFinal(couponId, userIds(10, 'late'));
      const again = await askAllUntilFinal(couponId, userIds(6, 'early'));
      expect(idsOf(again)).toEqual(idsOf(early));
      await expectIssuedToTheUnit(couponId, [...early, ...late]);
      expect(await stores.epochOf(couponId)).toBeGreaterThan(1);
    },
  );

  test.each<[keyof GateKeys, keyof typeof ways]>([
    ['pending', 'deleted'],
    ['pending', 'expired'],
    ['pendingUsers', 'deleted'],
  ])(
    '%s, %s, while the log is away: no repeat is taken for confirmed, and the gate is rebuilt',
    async (name, way) => {
      const couponId = await createCoupon();
      await broker.freeze();
      expectUnconfirmed(await askAll(couponId, userIds(6, 'early')));
      await ways[way]!(gateKeys(`${scenario.stack.name}:`, couponId)[name]);

      const repeats = await askAll(couponId, userIds(6, 'early'));
      expect(repeats.map(({ status }) => status)).toEqual(repeats.map(() => 503));
      broker.thaw();
      const answers = await askAllUntilFinal(couponId, [
        ...userIds(6, 'early'),
        ...userIds(10, 'late'),
      ]);
      await expectIssuedToTheUnit(couponId, answers);
      expect(await stores.epochOf(couponId)).toBeGreaterThan(1);
    },
  );

  /** As a Redis does that was set up as a cache, and is out of memory. */
  async function evictEverything(key: string): Promise<void> {
    await stores.redis.config('SET', 'maxmemory-policy', 'allkeys-random');
    await stores.redis.config('SET', 'maxmemory', '1');
    await eventually(async () => (await stores.redis.exists(key)) === 0);
    await endEviction();
  }
});

/** As servers of the gate are set up. */
async function endEviction(): Promise<void> {
  await stores?.redis.config('SET', 'maxmemory', '0');
  await stores?.redis.config('SET', 'maxmemory-policy', 'noeviction');
}

describe('a broker that is frozen', () => {
  test('and the api is killed: nobody was acknowledged for nothing, and everybody keeps his id', async () => {
    const [couponId] = await stores.createCoupons(1, 2, { total: 40 });
    await broker.freeze();
    const told = await askAll(couponId!, userIds(20, 'answered'));
    expectUnconfirmed(told);
    const cutShort = userIds(20, 'cut-short');
    const asking = Promise.allSettled(
      cutShort.map((user) => scenario.ask(user, { couponId: couponId! })),
    );
    await eventually(async () => (await stores.gate.inspect(couponId!)).holders === 40);
    await scenario.stack.app('api').kill();
    const answers = (await asking).map((one) =>
      one.status === 'fulfilled' ? one.value.status : 'none',
    );
    expect(answers).toContain('none');
    expect(answers).not.toContain(200);
    broker.thaw();

    await scenario.stack.startApp('api');
    const again = await askAllUntilFinal(couponId!, [...userIds(20, 'answered'), ...cutShort]);
    expect(again.map(({ status }) => status)).toEqual(again.map(() => 200));
    expect(idsOf(again.slice(0, 20))).toEqual(idsOf(told));
    await expect.poll(() => stores.issuedIds(couponId!), { timeout: 90_000 }).toEqual(idsOf(again));
  });

  test('a publish that timed out is not taken for "not sent": no unit is given back, however late it is written', async () => {
    const couponId = await createCoupon();
    await broker.freeze();
    const told = await askAll(couponId, userIds(10, 'slow'));
    expectUnconfirmed(told);
    const late = await askAll(couponId, userIds(10, 'late'));
    expect(new Set(late.map(({ body }) => body.code))).toEqual(new Set(['SOLD_OUT']));
    broker.thaw();

    const again = await askAllUntilFinal(couponId, userIds(10, 'slow'));
    expect(idsOf(again)).toEqual(idsOf(told));
    await expectIssuedToTheUnit(couponId, [...again, ...late]);
  });
});

test('nothing is lost, and nobody has two', () => scenario.expectNothingLost());
