import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { aRequest } from '../../../test/harness/fixtures.ts';
import { OwnServer } from '../../../test/harness/servers/own-server.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { isConnectionError } from './driver-error.ts';
import { CouponLedger } from '../coupons/coupon-ledger.ts';
import { LedgerConnection, LedgerUnavailableError } from './ledger-connection.ts';

const here = new TestLedger();
const server = new OwnServer('mysql');

beforeAll(() => here.start());
afterEach(() => server.start());
afterAll(() => here.close());

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('starts and stays up without MySQL, says so in words, and connects when it comes', async (context) => {
  server.require(context);
  await server.stop();
  const connection = new LedgerConnection(here.config);
  connection.start();
  const coupons = new CouponLedger(connection);
  await vi.waitFor(
    async () =>
      expect(await connection.connectionProblem()).toContain('MySQL is not reachable: connect'),
    15_000,
  );
  expect(() => connection.dataSource).toThrow(LedgerUnavailableError);
  await expect(coupons.list()).rejects.toThrow(LedgerUnavailableError);
  await expect(coupons.find(1)).rejects.toThrow(LedgerUnavailableError);
  expect(await connection.schemaProblem()).toBeUndefined();

  await server.start();
  await connection.connected();
  await expect.poll(() => connection.connectionProblem()).toBeUndefined();
  expect(await coupons.list()).toEqual(await here.coupons.list());
  await connection.close();
});

test('mends itself after MySQL went away and came back', async (context) => {
  server.require(context);
  const { id } = await here.createCoupon();
  await server.stop('SIGKILL');
  expect(isConnectionError(await errorOf(here.coupons.list()))).toBe(true);
  expect(isConnectionError(await errorOf(here.issuances.decideChunk([aRequest()])))).toBe(true);
  expect(await here.connection.connectionProblem()).toContain('MySQL is not reachable');
  expect(await here.connection.schemaProblem()).toBeUndefined();

  await server.start();
  await vi.waitFor(() => here.coupons.list(), { timeout: 10_000 });
  expect((await here.coupons.find(id))?.id).toBe(id);
  await expect.poll(() => here.connection.connectionProblem()).toBeUndefined();
});

test.each([
  [
    'while it answers',
    async (cut: Promise<unknown>) => void cut.catch(() => {}),
    'SELECT SLEEP(5)',
  ],
  ['between two commands', (cut: Promise<unknown>) => cut, 'SELECT 1'],
])('a connection that MySQL cuts %s is a connection error', async (_when, wait, next) => {
  const transaction = here.connection.dataSource.transaction(async (manager) => {
    const [row]: { id: string }[] = await manager.query('SELECT CONNECTION_ID() AS id');
    await wait(here.query(`KILL ${row!.id}`));
    await manager.query(next);
  });
  expect(isConnectionError(await errorOf(transaction))).toBe(true);
  await expect.poll(() => here.connection.connectionProblem()).toBeUndefined();
});

test('a no of MySQL is not a connection error', async () => {
  const { id } = await here.createCoupon();
  const refusals = [
    () => here.createCoupon({ id }),
    () => here.query('SELECT no_such_column FROM coupon'),
    () => here.coupons.change(id, { action: 'set-total', total: -1, asRead: 1, version: 2 }),
  ];
  for (const refusal of refusals) {
    const error = await errorOf(refusal());
    expect(error).toBeInstanceOf(Error);
    expect(isConnectionError(error)).toBe(false);
  }
  expect(isConnectionError(new Error('a bug of ours'))).toBe(false);
  expect(isConnectionError(undefined)).toBe(false);
});

test('closes although it never connected, and tells those who wait', async () => {
  const url = 'mysql://root@127.0.0.1:1/nowhere';
  const connection = new LedgerConnection({ ...here.config, MYSQL_URL: url });
  const waiting = errorOf(connection.connected());
  await connection.close();
  expect(await waiting).toMatchObject({ name: 'AbortError' });
});
