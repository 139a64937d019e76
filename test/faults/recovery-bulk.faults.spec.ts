import { afterAll, beforeAll, expect, test } from 'vitest';
import { OwnServer } from '../harness/servers/own-server.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { plantHolders } from '../harness/stack/bulk-holders.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';

const couponCount = 1_000;
const holderCount = 1_000_000;
const partitions = 8;
const couponIds = Array.from({ length: couponCount }, (_, i) => i + 1);
const closedIds = couponIds.filter((id) => id % 2 === 0);
const openIds = couponIds.filter((id) => id % 2 === 1);

const redis = new OwnServer('gate-redis');
const mysql = new OwnServer('mysql');
let stack: Stack;
let stores: StackStores;

beforeAll(async () => {
  stack = await prepareStack({ KAFKA_PARTITIONS: String(partitions) });
  stores = new StackStores(stack);
});
afterAll(async () => {
  mysql.thaw();
  await redis.start();
  await stores.close();
  await stack.stop();
});

/** As `coupon create` would: with rows in MySQL, and the keeper opens their gates. */
async function createCoupons(): Promise<void> {
  const rows = couponIds.map((id) => [
    id,
    `coupon ${id}`,
    holderCount,
    Math.floor(id / 2) % partitions,
    1,
    id % 2 === 0 ? 'closed' : 'open',
    1,
    1,
  ]);
  await stores.query(
    `INSERT INTO coupon (id, name, total, kafka_partition, version, state, epoch, applied_epoch)
     VALUES ?`,
    [rows],
  );
  // Ended ones that were changed long ago, or never, are archived.
  await stores.query(
    `INSERT INTO coupon_change (coupon_id, version, action, total, state, changed_at) VALUES ?`,
    [closedIds.map((id) => [id, 1, 'create', holderCount, 'closed', Date.now()])],
  );
}

/** Restarts Redis and tells how long it took, from then on, until these gates were open again. */
async function msUntilOpen(ids: number[]): Promise<number> {
  await redis.restart();
  const startedAt = performance.now();
  await expect
    .poll(async () => (await stores.openGates(ids)).length, { timeout: 60_000, interval: 100 })
    .toBe(ids.length);
  return performance.now() - startedAt;
}

test('1 000 coupons open again by themselves after a restart of Redis, the open ones first', async (context) => {
  redis.require(context);
  await createCoupons();
  await Promise.all((['issuer', 'keeper'] as const).map((kind) => stack.startApp(kind)));
  await expect
    .poll(async () => (await stores.openGates(couponIds)).length, { timeout: 60_000 })
    .toBe(couponCount);

  await redis.restart();
  const startedAt = performance.now();
  let closedWhileOpenWaited = 0;
  await expect
    .poll(
      async () => {
        // In this order: what opens in between counts for the open coupons.
        const closed = await stores.openGates(closedIds);
        const open = await stores.openGates(openIds);
        if (open.length < openIds.length - 8) {
          closedWhileOpenWaited = closed.length;
        }
        return open.length;
      },
      { timeout: 60_000, interval: 50 },
    )
    .toBe(openIds.length);
  await expect
    .poll(async () => (await stores.openGates(closedIds)).length, { timeout: 60_000 })
    .toBe(closedIds.length);
  const ms = performance.now() - startedAt;
  console.log(`1 000 gates open again after ${ms.toFixed(0)} ms`);
  expect(closedWhileOpenWaited).toBeLessThan(closedIds.length);
});

test('a million holders of one coupon are staged in slices, beside the other coupons', async (context) => {
  redis.require(context);
  await plantHolders(stores, 1, holderCount);
  const keeper = stack.app('keeper');
  const before = (await stores.redis.info('memory')).match(/used_memory:(\d+)/)![1]!;

  const ms = await msUntilOpen(couponIds);
  const gate = await stores.gate.inspect(1);
  expect(gate).toMatchObject({ gate: 'open', holders: holderCount, left: 0 });
  const after = (await stores.redis.info('memory')).match(/used_memory:(\d+)/)![1]!;
  const bytesPerHolder = (Number(after) - Number(before)) / holderCount;
  const rss = Number(
    /^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)/m.exec(await keeper.metrics())![1],
  );
  console.log(
    `a million holders staged after ${ms.toFixed(0)} ms; Redis takes ` +
      `${bytesPerHolder.toFixed(0)} bytes a holder; the keeper ${(rss / 2 ** 20).toFixed(0)} MB`,
  );
  expect(bytesPerHolder).toBeLessThan(200);
  expect(rss).toBeLessThan(320 * 2 ** 20);
});

test('a keeper in the middle of it ends in time with exit code 0, though MySQL stands still', async (context) => {
  redis.require(context);
  mysql.require(context);
  const keeper = stack.app('keeper');
  const staged = async (): Promise<number> =>
    Number(
      /^firstcome_recovery_holders_staged_total(?:\{[^}]*\})? (\S+)/m.exec(
        await keeper.metrics(),
      )![1],
    );
  const before = await staged();
  await redis.restart();
  await expect.poll(staged, { timeout: 30_000, interval: 50 }).toBeGreaterThan(before);
  await mysql.freeze();
  const stoppedAt = performance.now();
  keeper.signal('SIGTERM');
  expect(await keeper.exit()).toEqual({ code: 0, signal: null });
  expect(performance.now() - stoppedAt).toBeLessThan(10_000);
  mysql.thaw();
});
