import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gateKeys } from '#gate/keys.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';

/*
 * Two partitions, and the issuer of one stands still: a request of coupon `stuck` waits for its row,
 * which another transaction has locked, and so does everything behind it.
 */

let stack: Stack;
let stores: StackStores;
let other: mysql.Connection;
let stuck: number;
let behind: number;
let elsewhere: number;

beforeAll(async () => {
  stack = await startStack();
  stores = await StackStores.connect(stack);
  other = await mysql.createConnection(stack.env['MYSQL_URL']!);
  [stuck, elsewhere, behind] = (await stores.createCoupons(3, 2)) as [number, number, number];
});
afterAll(async () => {
  other.destroy();
  await stores.close();
  await stack.stop();
});

/** Its gate loses what it has. */
async function lose(couponId: number): Promise<void> {
  const keys = Object.values(gateKeys(stack.env['GATE_KEY_PREFIX']!, couponId));
  await stores.redis.unlink(...keys);
  await expect.poll(() => stores.openGates([couponId])).toEqual([]);
}

async function epochInLedger(couponId: number): Promise<number> {
  const [row] = await stores.query<{ epoch: number }>('SELECT epoch FROM coupon WHERE id = ?', [
    couponId,
  ]);
  return row!.epoch;
}

async function secondsWaited(): Promise<number> {
  const metrics = await stack.app('keeper').metrics();
  const waits = metrics.matchAll(/^firstcome_recovery_partition_wait_seconds\{[^}]*\} (\S+)/gm);
  return Math.max(0, ...[...waits].map(([, seconds]) => Number(seconds)));
}

test('a partition that stands still holds up only its own gates, and these open in the epoch they began', async () => {
  const partitions = await stores.query<{ kafka_partition: number }>(
    'SELECT kafka_partition FROM coupon WHERE id IN (?) ORDER BY id',
    [[stuck, elsewhere, behind]],
  );
  expect(partitions.map((row) => row.kafka_partition)).toEqual([0, 1, 0]);
  await other.beginTransaction();
  await other.query('SELECT id FROM coupon WHERE id = ? FOR UPDATE', [stuck]);
  expect((await stack.assign(stuck, 'ann')).status).toBe(200);
  await lose(behind);
  await expect.poll(() => secondsWaited()).toBeGreaterThan(1);
  const epoch = await epochInLedger(behind);

  await lose(elsewhere);
  await expect.poll(() => stores.openGates([elsewhere]), { timeout: 15_000 }).toEqual([elsewhere]);
  expect(await stores.openGates([behind])).toEqual([]);

  // Longer than a marker is waited for before it is written again.
  await expect.poll(() => secondsWaited(), { timeout: 60_000, interval: 500 }).toBeGreaterThan(33);
  await other.rollback();
  await expect.poll(() => stores.openGates([behind]), { timeout: 60_000 }).toEqual([behind]);
  expect(await epochInLedger(behind)).toBe(epoch);
  expect(await stores.epochOf(behind)).toBe(epoch);
});
