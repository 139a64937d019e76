import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { IdempotencyKeys } from './idempotency-keys.ts';

const here = new TestGate();
const keys = new IdempotencyKeys(here.connection, here.prefix, 86_400);

beforeAll(() => here.start());
afterAll(() => here.close());

async function remembered(): Promise<string[]> {
  return (await here.raw.keys(`${here.prefix}{idempotency:*}*`)).sort();
}

test('a key of a user is for the coupon that it was sent with first', async () => {
  expect(await keys.use('ann', 'k', 1)).toBe(1);
  expect(await keys.use('ann', 'k', 2)).toBe(1);
  expect(await keys.use('ann', 'k', 1)).toBe(1);
  expect(await keys.use('ann', 'other', 2)).toBe(2);
});

test('the same key of another user is another one, wherever the one ends and the other begins', async () => {
  expect(await keys.use('Zoë 🎟', 'ab', 3)).toBe(3);
  expect(await keys.use('Zoë 🎟a', 'b', 4)).toBe(4);
});

test('of many who send one at the same time with different bodies, one is first for all', async () => {
  const used = await Promise.all(
    Array.from({ length: 50 }, (_, i) => keys.use('bob', 'rush', i + 1)),
  );
  expect(new Set(used).size).toBe(1);
});

test("a value of another hand in its place is removed, and stands in nobody's way", async () => {
  const prefix = `${here.prefix}foreign:`;
  const meddled = new IdempotencyKeys(here.connection, prefix, 86_400);
  expect(await meddled.use('dave', 'k', 1)).toBe(1);
  const [young = ''] = await here.raw.keys(`${prefix}*`);
  await here.raw.hset(young, 'born', 'never');
  expect(await meddled.use('dave', 'k', 2)).toBe(1);
  await here.raw.multi().unlink(young).rpush(young, 'a list').exec();
  expect(await meddled.use('dave', 'k', 2)).toBe(2);
});

test('no key is remembered for ever', async () => {
  await keys.use('carol', 'k', 1);
  const lives = await Promise.all((await remembered()).map((name) => here.raw.ttl(name)));
  expect(lives.length).toBeGreaterThan(0);
  expect(Math.min(...lives)).toBeGreaterThan(86_400);
  expect(Math.max(...lives)).toBeLessThanOrEqual(2 * 86_400);
});

test('one is remembered through a change of generations, and forgotten by the next', async () => {
  const prefix = `${here.prefix}aged:`;
  const aged = new IdempotencyKeys(here.connection, prefix, 86_400);
  const [first = '', second = '', third = ''] = keysOfOneShard(3, prefix);
  expect(await aged.use('eve', first, 1)).toBe(1);
  const [young = ''] = await here.raw.keys(`${prefix}*`);
  // It has lived its time: the next of the shard begins a new generation.
  await here.raw.hset(young, 'born', 1);
  expect(await aged.use('eve', second, 1)).toBe(1);
  expect(await here.raw.keys(`${prefix}*`)).toHaveLength(2);
  expect(await aged.use('eve', first, 2)).toBe(1);
  await here.raw.hset(young, 'born', 1);
  expect(await aged.use('eve', third, 1)).toBe(1);
  expect(await aged.use('eve', second, 2)).toBe(1);
  expect(await aged.use('eve', first, 2)).toBe(2);
});

test('a flood of keys takes a bounded place, and the last ones are remembered', async () => {
  const prefix = `${here.prefix}flood:`;
  const flooded = new IdempotencyKeys(here.connection, prefix, 86_400);
  // All of one shard, as if all shards had as many.
  const sharded = keysOfOneShard(400, prefix);
  for (const key of sharded) {
    await flooded.use('eve', key, 1);
  }
  const names = (await here.raw.keys(`${prefix}*`)).sort();
  const sizes = await Promise.all(names.map((name) => here.raw.hlen(name)));
  expect(names).toHaveLength(2);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(128);
  const encodings = await Promise.all(names.map((name) => here.raw.object('ENCODING', name)));
  expect(encodings).toEqual(['listpack', 'listpack']);
  expect(await flooded.use('eve', sharded.at(-1)!, 2)).toBe(1);
  expect(await flooded.use('eve', sharded.at(-128)!, 2)).toBe(1);
  expect(await flooded.use('eve', sharded[0]!, 2)).toBe(2);
});

/** As the user `eve` sends them; found by trying. */
function keysOfOneShard(count: number, prefix: string): string[] {
  const found: string[] = [];
  for (let i = 0; found.length < count; i += 1) {
    const key = `${prefix}${i}`;
    const digest = createHash('sha256').update(`eve\0${key}`).digest('hex');
    if (digest.slice(60, 63) === 'abc') {
      found.push(key);
    }
  }
  return found;
}
