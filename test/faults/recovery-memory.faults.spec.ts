import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { redis as redisKind } from '../../infra/local/servers/redis.ts';
import { SpareServer } from '../harness/servers/spare-server.ts';
import { plantHolders } from '../harness/stack/bulk-holders.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';

const kind = redisKind('GATE_REDIS_URL', 'GATE_REDIS_CA_FILE');
const problem = await SpareServer.problem(kind);

const holderCount = 300_000;
const big = 1;
const small = 2;

describe.skipIf(problem !== undefined)(`a Redis of 64 MB ${problem ?? ''}`, () => {
  let server: SpareServer;
  let stack: Stack;
  let stores: StackStores;
  let admin: Redis;

  beforeAll(async () => {
    server = await SpareServer.create(kind, () => ['--maxmemory', '64mb']);
    await server.start();
    stack = await prepareStack({ GATE_REDIS_URL: server.url });
    stores = await StackStores.connect(stack);
    admin = new Redis(server.url);
    admin.on('error', () => {});
    const row = (id: number) => [id, `coupon ${id}`, holderCount, 0, 1, 'open', 1, 1];
    await stores.query(
      `INSERT INTO coupon (id, name, total, kafka_partition, version, state, epoch, applied_epoch)
       VALUES ?`,
      [[row(big), row(small)]],
    );
    await Promise.all((['issuer', 'keeper'] as const).map((app) => stack.startApp(app)));
    await untilOpen([big, small]);
    // Behind the issuer's first look: it would miss the offset of what they came from.
    await plantHolders(stores, big, holderCount);
    await stack.space.emptyGate();
    await untilOpen([big, small]);
  });
  afterAll(async () => {
    admin.disconnect();
    await stores.close();
    await stack.stop();
    await server.remove();
  });

  async function untilOpen(ids: number[]): Promise<void> {
    // Not `expect.poll`, which hooks may not use.
    await vi.waitFor(async () => expect(await stores.openGates(ids)).toEqual(ids), {
      timeout: 90_000,
      interval: 250,
    });
  }

  async function usedMegabytes(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(await admin.info('memory'))![1]) / 2 ** 20;
  }

  test('opens again after a restart, although it is more than half full with one coupon', async () => {
    const used = await usedMegabytes();
    expect(used).toBeGreaterThan(32);
    const before = await stores.epochOf(big);
    await server.stop();
    await server.start();
    await expect.poll(() => admin.ping(), { timeout: 15_000 }).toBe('PONG');
    await untilOpen([big, small]);
    expect(await stores.gate.inspect(big)).toMatchObject({ holders: holderCount, left: 0 });
    expect(await stores.epochOf(big)).toBeGreaterThan(before);
  });

  test('with no room for a coupon opens the others, says so, and opens it when there is room', async () => {
    const keeper = stack.app('keeper');
    await admin.config('SET', 'maxmemory', '24mb');
    await stack.space.emptyGate();
    await untilOpen([small]);
    await expect
      .poll(() => keeper.output, { timeout: 30_000 })
      .toContain(`Redis has no room for the ${holderCount} holders of coupon ${big}`);
    expect(await stores.openGates([big])).toEqual([]);
    // What was staged of it is gone again: whoever asks an open gate needs the room.
    expect(await usedMegabytes()).toBeLessThan(24);
    await admin.config('SET', 'maxmemory', '64mb');
    await untilOpen([big]);
  });
});
