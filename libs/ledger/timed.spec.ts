import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestMetrics } from '../../test/harness/test-metrics.ts';
import { timed } from './timed.ts';

const shown = new TestMetrics();
beforeAll(() => shown.start());
afterAll(() => shown.close());

class Ledger {
  private readonly rows = [1, 2];

  async countAll(): Promise<number> {
    return this.rows.length;
  }

  async twice(): Promise<number> {
    return (await this.countAll()) * 2;
  }

  async refuse(): Promise<never> {
    throw Object.assign(new Error('deadlock'), { code: 'ER_LOCK_DEADLOCK' });
  }

  size(): number {
    return this.rows.length;
  }
}

test('each question is timed by its name, once, and failures apart; the rest is as it was', async () => {
  const ledger = timed('things', new Ledger(), shown.telemetry.operations);
  expect(ledger.constructor).toBe(Ledger);
  expect(ledger.size()).toBe(2);
  expect(await ledger.countAll()).toBe(2);
  expect(await ledger.twice()).toBe(4);
  await expect(ledger.refuse()).rejects.toThrow('deadlock');
  const counts = await shown.read('db_client_operation_duration_seconds_count');
  const labels = (name: string) => `{db_system_name="mysql",db_operation_name="things.${name}"`;
  expect(counts).toEqual({
    [`${labels('count_all')}}`]: 1,
    [`${labels('twice')}}`]: 1,
    [`${labels('refuse')},error_type="ER_LOCK_DEADLOCK"}`]: 1,
  });
});

test('without metrics it is the ledger itself', () => {
  const ledger = new Ledger();
  expect(timed('things', ledger, undefined)).toBe(ledger);
});
