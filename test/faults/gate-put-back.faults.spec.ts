import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redis } from '../../infra/local/servers/redis.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { SpareServer } from '../harness/servers/spare-server.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';

const kind = redis('GATE_REDIS_URL', 'GATE_REDIS_CA_FILE');
const problem = await SpareServer.problem(kind);

let gate: SpareServer;
let other: SpareServer;
let scenario: FaultScenario;
let stores: StackStores;

beforeAll(async () => {
  if (problem === undefined) {
    [gate, other] = await Promise.all([SpareServer.start(kind), SpareServer.start(kind)]);
    scenario = await FaultScenario.start({ env: { GATE_REDIS_URL: gate.url } });
    stores = new StackStores(scenario.stack);
  }
});
beforeEach(({ skip }) => skip(problem !== undefined, problem));
afterAll(async () => {
  await stores?.close();
  try {
    await scenario?.stop();
  } finally {
    await Promise.all([gate?.remove(), other?.remove()]);
  }
});

const expectRebuilt = (lose: () => Promise<unknown>): Promise<void> =>
  scenario.expectRebuilt(stores, lose);

describe('a Redis that lives on under load, with older gates', () => {
  test('a primary that was a replica for a while has another history: rebuilt, in service again', async () => {
    const admin = new Redis(other.url);
    try {
      await admin.replicaof('127.0.0.1', gate.port);
      const isCopied = async (): Promise<boolean> =>
        (await admin.info('replication')).includes('master_link_status:up');
      await expect.poll(isCopied, { timeout: 30_000 }).toBe(true);
      await scenario.untilServed();
      await admin.replicaof('NO', 'ONE');
      await scenario.untilServed(200);
      await expectRebuilt(async () => {
        await stores.redis.replicaof('127.0.0.1', other.port);
        const isSynced = async (): Promise<boolean> =>
          (await stores.redis.info('replication')).includes('master_link_status:up');
        await expect.poll(isSynced, { timeout: 30_000 }).toBe(true);
        await stores.redis.replicaof('NO', 'ONE');
      });
    } finally {
      admin.disconnect();
    }
  });

  test('SWAPDB with an older copy of all gates: rebuilt, in service again', async () => {
    const keys = await stores.redis.keys('*');
    const copies = stores.redis.multi();
    keys.forEach((key) => copies.call('COPY', key, key, 'DB', '1'));
    await copies.exec();
    await scenario.untilServed(200);
    await expectRebuilt(() => stores.redis.call('SWAPDB', '0', '1'));
  });

  test('nothing is lost, and nobody has two', () => scenario.expectNothingLost());
});
