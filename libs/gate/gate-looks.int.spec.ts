import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anIssuanceId } from '../../test/harness/fixtures.ts';
import { testConfig } from '../../test/harness/test-config.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { TestMetrics } from '../../test/harness/test-metrics.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { Gate } from './gate.ts';
import { GateConnection } from './gate-connection.ts';
import { readRedisState } from './redis-state.ts';

/* What is asked of a gate, and of its Redis, beside who is admitted. */

const here = new TestGate();
const { gate, raw } = here;
const metrics = new TestMetrics();

beforeAll(() => Promise.all([here.start(), metrics.start()]));
afterAll(() => Promise.all([here.close(), metrics.close()]));

test('a gate says what terms it goes by; one that is not there has none', async () => {
  const terms = {
    version: 3,
    total: 7,
    state: 'paused' as const,
    opensAt: 1_764_000_000_001,
    closesAt: 4_000_000_000_002,
    kafkaPartition: 5,
  };
  const { id } = await here.openCoupon(terms);
  expect(await gate.terms(id)).toEqual(terms);
  expect(await gate.terms(here.newCoupon().id)).toBeUndefined();
});

test('of some reservations, those are told that are not confirmed', async () => {
  const { id } = await here.openCoupon();
  const [annsId, bobsId] = [await here.take(id, 'ann'), await here.take(id, 'bob')];
  await gate.confirm(id, 1, [{ userId: 'bob', issuanceId: bobsId }]);
  const pending = await gate.pendingAmong(id, [bobsId, annsId, anIssuanceId()]);
  expect(pending).toEqual(new Set([annsId]));
});

test('the room of a Redis without a limit is endless', async () => {
  expect(await gate.room()).toBe(Infinity);
});

test('the history of a Redis is that of its run and of its data, as the gate compares them', async () => {
  const { id } = await here.openCoupon();
  const compared = await raw.hmget(here.keys(id).meta, 'run_id', 'replid');
  expect(await gate.history()).toBe(compared.join());
  expect(compared.join()).toMatch(/^\w{40},\w{40}$/);
});

test('a Redis tells what it is, and how much of it is taken', async () => {
  expect(await readRedisState(here.connection)).toEqual({
    role: 'master',
    version: expect.stringMatching(/^\d+\.\d+/) as string,
    usedBytes: expect.any(Number) as number,
    limitBytes: null,
    memoryRatio: null,
  });
});

test('scripts are measured by their names, those that fail as well, and batches by their size', async () => {
  const { operations } = metrics.telemetry;
  const { id } = await here.openCoupon();
  const measured = new Gate(here.connection, here.prefix, operations);
  await measured.reserve(id, ['ann', 'bob']);
  const [issuanceId] = await gate.heldBy(id, ['ann']);
  await measured.confirm(id, 1, [{ userId: 'ann', issuanceId: issuanceId! }]);
  const away = new GateConnection(testConfig({ GATE_REDIS_URL: 'redis://127.0.0.1:1' }));
  await expect(new Gate(away, here.prefix, operations).inspect(id)).rejects.toThrow();
  away.close();

  const scripts = Object.entries(await metrics.read('db_client_operation_duration_seconds_count'));
  const counted = scripts.map(([labels, count]) => {
    const [, script] = /db_operation_name="(\w+)"/.exec(labels)!;
    return `${script}${labels.includes('error_type=') ? ', failed' : ''}: ${count}`;
  });
  expect(new Set(counted)).toEqual(new Set(['reserve: 1', 'confirm: 1', 'inspect, failed: 1']));
  const sizes = Object.entries(await metrics.read('firstcome_batch_size_sum'));
  const batches = sizes.map(([labels, sum]) => `${/stage="(\w+)"/.exec(labels)![1]}: ${sum}`);
  expect(new Set(batches)).toEqual(new Set(['reserve: 2', 'confirm: 1']));
});

describe('removing the gate of an archived coupon', () => {
  const isThere = ({ id }: Coupon): Promise<number> =>
    raw.exists(...(Object.values(here.keys(id)) as string[]));

  test('leaves nothing of it, and may be done again', async () => {
    const coupon = await here.openCoupon({ state: 'closed', epoch: 2 }, [
      { userId: 'ann', issuanceId: anIssuanceId() },
    ]);
    expect(await isThere(coupon)).toBe(2);
    expect(await gate.archive(coupon.id, 2)).toBe(true);
    expect(await isThere(coupon)).toBe(0);
    expect(await gate.archive(coupon.id, 2)).toBe(true);
  });

  test('is left undone where the gate is of a newer epoch: its coupon is back', async () => {
    const coupon = await here.openCoupon({ state: 'closed', epoch: 3 });
    expect(await gate.archive(coupon.id, 2)).toBe(false);
    expect(await gate.inspect(coupon.id)).toMatchObject({ gate: 'open' });
    const fenced = await here.openCoupon({ state: 'closed' });
    await gate.fence(fenced.id, 3);
    expect(await gate.archive(fenced.id, 2)).toBe(false);
    expect(await isThere(fenced)).toBe(1);
  });

  test('is left undone where it has not ended, or something is pending there', async () => {
    const running = await here.openCoupon();
    expect(await gate.archive(running.id, 1)).toBe(false);
    await here.take(running.id, 'ann');
    await gate.applyCoupon({ ...running, state: 'closed', version: 2 });
    expect(await gate.archive(running.id, 1)).toBe(false);
    expect(await gate.inspect(running.id)).toMatchObject({ gate: 'open', pending: 1 });
  });

  test('goes by the clock of Redis where it closes by itself, and needs no gate that is whole', async () => {
    const ended = await here.openCoupon({ closesAt: (await gate.now()) - 1 });
    expect(await gate.archive(ended.id, 1)).toBe(true);
    const broken = await here.openCoupon();
    await here.breakRunId(broken.id);
    expect(await gate.archive(broken.id, 1)).toBe(true);
    expect(await isThere(broken)).toBe(0);
  });
});
