import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { LedgerConnection } from './ledger-connection.ts';

const here = new TestLedger();
let narrow: LedgerConnection;

beforeAll(async () => {
  await here.start();
  narrow = new LedgerConnection({ ...here.config, MYSQL_POOL_SIZE: 2 });
});
afterAll(async () => {
  await narrow.close();
  await here.close();
});

test('the pool tells who uses a connection, who is idle and who waits; nothing before the first', async () => {
  expect(narrow.poolState()).toBeUndefined();
  const source = await narrow.connected();
  const asking = [1, 2, 3, 4, 5].map(() => source.query('SELECT SLEEP(0.4)'));
  await expect
    .poll(() => narrow.poolState(), { interval: 20 })
    .toEqual({ used: 2, idle: 0, max: 2, waiting: 3 });
  await Promise.all(asking);
  expect(narrow.poolState()).toMatchObject({ used: 0, max: 2, waiting: 0 });
});
