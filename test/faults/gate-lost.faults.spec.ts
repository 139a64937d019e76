import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redis } from '../../infra/local/servers/redis.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { SpareServer } from '../harness/servers/spare-server.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';

const kind = redis('GATE_REDIS_URL', 'GATE_REDIS_CA_FILE');
const problem = await SpareServer.problem(kind);

let primary: SpareServer;
let replica: SpareServer | undefined;
/** Where the processes look for the gate. */
let address: TcpProxy;
let scenario: FaultScenario;
let stores: StackStores;

beforeAll(async () => {
  if (problem === undefined) {
    primary = await SpareServer.start(kind);
    address = await TcpProxy.start({ host: '127.0.0.1', port: primary.port });
    const env = { GATE_REDIS_URL: `redis://127.0.0.1:${address.port}` };
    scenario = await FaultScenario.start({ env });
    stores = new StackStores(scenario.stack);
  }
});
beforeEach(({ skip }) => skip(problem !== undefined, problem));
afterAll(async () => {
  await stores?.close();
  try {
    await scenario?.stop();
  } finally {
    await address?.close();
    await Promise.all([primary?.remove(), replica?.remove()]);
  }
});

const expectRebuilt = (lose: () => Promise<unknown>): Promise<void> =>
  scenario.expectRebuilt(stores, lose);

describe('a gate that is lost under load', () => {
  test('Redis SIGKILL with its append-only file intact: shut all the same, rebuilt, in service again', () =>
    expectRebuilt(async () => {
      await primary.stop('SIGKILL');
      await primary.start();
    }));

  test('append-only file rolled back to an older copy: whom it has forgotten is not, nor sold again', () =>
    expectRebuilt(async () => {
      const files = join(primary.dataDir, 'appendonlydir');
      const olderFiles = join(primary.directory, 'older');
      cpSync(files, olderFiles, { recursive: true });
      await scenario.untilServed(200);
      await primary.stop('SIGKILL');
      rmSync(files, { recursive: true });
      cpSync(olderFiles, files, { recursive: true });
      await primary.start();
    }));

  test('FLUSHALL in the middle of the sale: rebuilt, in service again', () =>
    expectRebuilt(() => stores.redis.flushall()));

  test('stale replica promoted: it shuts its gate; whom it does not know is not lost, nor sold again', async () => {
    replica = await SpareServer.start(kind);
    const admin = new Redis(replica.url);
    try {
      await admin.replicaof('127.0.0.1', primary.port);
      await expectRebuilt(() => failOver(admin, replica!));
    } finally {
      admin.disconnect();
    }
  });

  test('nothing is lost, and nobody has two', () => scenario.expectNothingLost());
});

/** The replica is cut off while the primary goes on, and takes over when that one dies. */
async function failOver(admin: Redis, promoted: SpareServer): Promise<void> {
  const holders = `${scenario.stack.name}:{coupon:${scenario.couponId}}:holders`;
  const knows = (userId: string): Promise<number> => admin.hexists(holders, userId);
  const early = scenario.rush.accepted.at(-1)!.userId;
  // Redis lets a replica wait for others before it sends all it has.
  await expect.poll(() => knows(early), { timeout: 60_000 }).toBe(1);
  await admin.replicaof('NO', 'ONE');
  await scenario.untilServed(200);
  expect(await knows(scenario.rush.accepted.at(-1)!.userId)).toBe(0);
  await primary.stop('SIGKILL');
  address.leadTo({ host: '127.0.0.1', port: promoted.port });
}
