import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { aRequest } from '../../../test/harness/fixtures.ts';
import { TcpProxy } from '../../../test/harness/servers/tcp-proxy.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { isConnectionError } from './driver-error.ts';
import { CouponLedger } from '../coupons/coupon-ledger.ts';
import { IssuanceLedger } from '../issuance-ledger.ts';
import { LedgerConnection } from './ledger-connection.ts';

const here = new TestLedger();
const queryTimeoutMs = 2_500;
const poolSize = 3;
/** A wait for a connection, and then for an answer. */
const answerMs = 2 * queryTimeoutMs + 10_000;

let proxy: TcpProxy;
let connection: LedgerConnection;

beforeAll(async () => {
  await here.start();
  const { MYSQL_URL: mysqlUrl } = here.config;
  proxy = await TcpProxy.before(mysqlUrl);
  const url = proxy.through(mysqlUrl);
  const config = { ...here.config, MYSQL_URL: url, MYSQL_POOL_SIZE: poolSize };
  connection = new LedgerConnection(config, { queryTimeoutMs });
  await connection.connected();
});
afterEach(() => proxy.release());
afterAll(async () => {
  await connection.close();
  await proxy.close();
  await here.close();
});

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  const startedAt = performance.now();
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(performance.now() - startedAt).toBeLessThan(answerMs);
  return error;
}

test('every query of a frozen MySQL fails in bounded time, also those that wait for a connection', async () => {
  const coupons = new CouponLedger(connection);
  proxy.hold();
  expect(await connection.connectionProblem()).toContain(
    'MySQL is not reachable: no answer within',
  );
  // It cannot be told; readiness of the api must not depend on it.
  expect(await connection.schemaProblem()).toBeUndefined();
  for (let round = 0; round < 2; round += 1) {
    const asked = Array.from({ length: 4 * poolSize }, () => failureOf(coupons.list()));
    for (const error of await Promise.all(asked)) {
      expect(isConnectionError(error)).toBe(true);
    }
  }

  proxy.release();
  await vi.waitFor(() => coupons.list(), { timeout: 15_000 });
});

test('a transaction ends in bounded time, whole or not at all, and may be run again', async () => {
  const { id } = await here.createCoupon();
  const ledger = new IssuanceLedger(connection);
  const request = aRequest({ couponId: id });
  await here.issuances.decideChunk([aRequest({ couponId: id, userId: 'bob' })]);
  proxy.hold();
  const error = await failureOf(ledger.decideChunk([request]));
  expect(isConnectionError(error)).toBe(true);

  proxy.release();
  const again = await vi.waitFor(() => ledger.decideChunk([request]), { timeout: 15_000 });
  expect(again.decisions).toMatchObject([{ status: 'ISSUED', request }]);
  expect(await here.coupons.find(id)).toMatchObject({ issued: 2 });
});

test('a lock that another holds is waited for less long: losing it is an answer', async () => {
  const unhurried = new LedgerConnection(here.config, { queryTimeoutMs: 10_000 });
  await unhurried.connected();
  const { id } = await here.createCoupon();
  const holder = here.connection.dataSource.createQueryRunner();
  await holder.startTransaction();
  await holder.query('SELECT 1 FROM coupon WHERE id = ? FOR UPDATE', [id]);
  const change = { action: 'pause', version: 2, asRead: 1 } as const;
  const lost = await failureOf(
    unhurried.dataSource.query('UPDATE coupon SET version = 2 WHERE id = ?', [id]),
  );
  expect(lost).toMatchObject({ driverError: { code: 'ER_LOCK_WAIT_TIMEOUT' } });

  const patient = new CouponLedger(unhurried).change(id, change);
  await holder.rollbackTransaction();
  await holder.release();
  expect(await patient).toBe(true);
  await unhurried.close();
});
