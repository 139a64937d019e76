import { afterAll, beforeAll, expect, test } from 'vitest';
import { CouponAdministration } from '#administration/coupon-administration.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import { untilOneWaitsForALock } from '../harness/stores/lock-wait.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { withStepsBefore } from '../harness/steps-before.ts';
import { testConfig } from '../harness/test-config.ts';

let stack: Stack;
let stores: StackStores;
let ledger: LedgerConnection;

beforeAll(async () => {
  stack = await startStack();
  stores = await StackStores.connect(stack);
  ledger = new LedgerConnection(testConfig({ MYSQL_URL: stack.env['MYSQL_URL']! }));
  await ledger.connected();
});
afterAll(async () => {
  await ledger.close();
  await stores.close();
  await stack.stop();
});

test('a coupon whose gate is long in coming is not shut again by the keeper that noticed', async () => {
  const keeper = stack.app('keeper');
  await keeper.freeze();
  const gate = withStepsBefore(stores.gate, async (method) => {
    if (method === 'open') {
      keeper.signal('SIGCONT');
      // It has found the gate shut, twice, and begins a recovery.
      await untilOneWaitsForALock(stores);
    }
  });
  const administration = new CouponAdministration(new CouponLedger(ledger), gate);
  const draft = { name: 'slow', total: 10, opensAt: null, closesAt: null };
  const { id } = await administration.create(draft, 2);

  const { status, body } = await stack.assign(id, 'prompt');
  expect([status, body.status]).toEqual([200, 'ACCEPTED']);
  await expect.poll(async () => (await stack.request(body.status_url)).body.status).toBe('ISSUED');
  expect(await stores.gate.inspect(id)).toMatchObject({ gate: 'open', epoch: 1, minEpoch: 1 });
  expect((await administration.find(id)).epoch).toBe(1);
});
