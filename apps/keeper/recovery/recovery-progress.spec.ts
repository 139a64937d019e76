import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { keptLines } from '../../../test/harness/kept-lines.ts';
import { TestMetrics } from '../../../test/harness/test-metrics.ts';
import { Telemetry } from '#platform/telemetry/telemetry.ts';
import { RecoveryProgress } from './recovery-progress.ts';

const shown = new TestMetrics();
const { lines, logger } = keptLines();
let progress: RecoveryProgress;

beforeAll(() => shown.start());
afterAll(() => shown.close());
beforeEach(() => {
  vi.useFakeTimers();
  lines.length = 0;
  progress = new RecoveryProgress(logger, new Telemetry('test', false));
});
afterEach(() => {
  vi.useRealTimers();
});

test('says what is to be done, how far it is every two seconds, and that all of it is done', async () => {
  let gates = 3;
  let partitions = [{ partition: 1, gates: 2, seconds: 5 }];
  progress.begin(() => ({ gates, partitions }));
  expect(lines).toMatchObject([{ msg: 'recovery begins', gates: 3 }]);
  progress.staged(500);
  progress.staged(20);
  progress.opened(7);
  gates = 2;
  await vi.advanceTimersByTimeAsync(1_999);
  expect(lines).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(lines[1]).toMatchObject({
    msg: 'recovery under way',
    gates_waiting: 2,
    opened: 1,
    holders_staged: 520,
    seconds: 2,
    waiting_for_issuers: partitions,
  });

  gates = 0;
  partitions = [];
  progress.end();
  expect(lines[2]).toMatchObject({ msg: 'recovery done', gates_waiting: 0 });
  expect(lines[2]).not.toHaveProperty('waiting_for_issuers');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(lines).toHaveLength(3);
});

test('one that ends before all are open says so, and the next one counts anew', async () => {
  progress.begin(() => ({ gates: 1, partitions: [] }));
  progress.opened(1);
  progress.staged(5);
  progress.end();
  expect(lines.at(-1)).toMatchObject({
    msg: 'recovery ended before all gates were open',
    gates_waiting: 1,
    opened: 1,
  });
  await vi.advanceTimersByTimeAsync(1_000);
  progress.begin(() => ({ gates: 0, partitions: [] }));
  progress.end();
  expect(lines.at(-1)).toMatchObject({ opened: 0, holders_staged: 0, seconds: 0 });
});

test('shows what is waited for, and nothing for a partition that is waited for no more', async () => {
  vi.useRealTimers();
  progress = new RecoveryProgress(logger, shown.telemetry);
  const read = (): Promise<Record<string, number>> => shown.read('firstcome_recovery_');
  const none = { gates_opened_total: 0, holders_staged_total: 0, failures_total: 0 };
  expect(await read()).toEqual({ gates_waiting: 0, ...none });
  let partitions = [
    { partition: 0, gates: 1, seconds: 4 },
    { partition: 5, gates: 3, seconds: 9 },
  ];
  progress.begin(() => ({ gates: 4, partitions }));
  expect(await read()).toEqual({
    gates_waiting: 4,
    'partition_wait_seconds{partition="0"}': 4,
    'partition_wait_seconds{partition="5"}': 9,
    ...none,
  });
  partitions = [{ partition: 0, gates: 1, seconds: 6 }];
  progress.staged(30);
  progress.staged(12);
  progress.opened(3);
  progress.failed('coupon 3', new Error('away'));
  expect(await read()).toEqual({
    gates_waiting: 4,
    'partition_wait_seconds{partition="0"}': 6,
    holders_staged_total: 42,
    gates_opened_total: 1,
    failures_total: 1,
  });
  progress.end();
  expect(await read()).toEqual({
    gates_waiting: 0,
    holders_staged_total: 42,
    gates_opened_total: 1,
    failures_total: 1,
  });
});

test('a failure is said at once, and again when it is another one, or after a minute', async () => {
  const away = new Error('Redis is away');
  // A keeper that has run for a while.
  await vi.advanceTimersByTimeAsync(100_000);
  const said = (): unknown[] => lines.splice(0).map(({ msg }) => msg);
  const ofOne = 'recovery of coupon 1 failed; it is tried again';
  progress.failed('coupon 1', away);
  expect(lines[0]!['err']).toMatchObject({ message: 'Redis is away' });
  progress.failed('coupon 1', away);
  progress.failed('coupon 2', away);
  expect(said()).toEqual([ofOne, 'recovery of coupon 2 failed; it is tried again']);
  progress.failed('coupon 1', new Error('MySQL is away'));
  expect(said()).toEqual([ofOne]);
  await vi.advanceTimersByTimeAsync(60_000);
  progress.failed('coupon 1', new Error('MySQL is away'));
  expect(said()).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  progress.failed('coupon 1', new Error('MySQL is away'));
  expect(said()).toEqual([ofOne]);
});

test('what has failed, and opened or ended since, is said when it fails again', () => {
  const away = new Error('away');
  const said = (): number => lines.splice(0).length;
  progress.failed('coupon 1', away);
  progress.failed('coupon 2', away);
  expect(said()).toBe(2);
  progress.opened(1);
  progress.failed('coupon 1', away);
  progress.failed('coupon 2', away);
  expect(said()).toBe(1);
  progress.end();
  said();
  progress.failed('coupon 2', away);
  expect(said()).toBe(1);
});
