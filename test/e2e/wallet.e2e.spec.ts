import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Answer } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { uuidToBytes } from '#ledger/uuid-bytes.ts';
import { anIssuanceId } from '../harness/fixtures.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { startStack } from '../harness/stack/test-stack.ts';

const patience = { timeout: 20_000 };

let stack: Stack;
let stores: StackStores;
/** The same, over a way to Redis that can be cut. */
let cut: App;
let redis: TcpProxy;

beforeAll(async () => {
  stack = await startStack();
  stores = await StackStores.connect(stack);
  redis = await TcpProxy.before(stack.env['GATE_REDIS_URL']!);
  cut = await stack.startApp(
    'api',
    { GATE_REDIS_URL: redis.through(stack.env['GATE_REDIS_URL']!), GATE_TIMEOUT_MS: '1000' },
    { isApart: true },
  );
});
afterEach(() => stack.app('issuer').signal('SIGCONT'));
afterAll(async () => {
  await stores.close();
  await stack.stop();
  await redis.close();
});

function wallet(userId: string, query = '', of = stack.app('api')): Promise<Answer> {
  return stack.request(`/api/v1/users/${userId}/coupons${query}`, {}, of);
}

/** Coupon and state of all that is listed, and whether that is all. */
async function listed(userId: string, of?: App): Promise<unknown> {
  const { body } = await wallet(userId, '', of);
  const units = body.coupons.map((unit: { coupon_id: number; status: string }) => [
    unit.coupon_id,
    unit.status,
  ]);
  return [units, body.complete];
}

/** Nobody decides anything until the issuer goes on. */
function freezeIssuer(): Promise<void> {
  return stack.app('issuer').freeze();
}

test('what was answered with 200 is listed at once, at every api, and then issued', async () => {
  await freezeIssuer();
  // Created a moment ago: in no list of coupons yet.
  const [couponId = 0] = await stores.createCoupons(1, 2);
  const { body } = await stack.assign(couponId, 'ann');
  for (const api of [stack.app('api'), cut]) {
    const { body: told } = await wallet('ann', '', api);
    expect(told).toEqual({
      user_id: 'ann',
      coupons: [
        {
          issuance_id: body.issuance_id,
          coupon_id: couponId,
          status: 'ACCEPTED',
          accepted_at: body.accepted_at,
        },
      ],
      next: null,
      complete: true,
    });
  }
  stack.app('issuer').signal('SIGCONT');
  await expect.poll(() => listed('ann'), patience).toEqual([[[couponId, 'ISSUED']], true]);
  expect((await wallet('ann')).body.coupons[0].issued_at).toMatch(/Z$/);
});

test('pages neither skip nor double what is issued between them', async () => {
  const ids = await stores.createCoupons(7, 2);
  for (const id of ids.slice(0, 2)) {
    await stack.assign(id, 'bob');
  }
  await expect
    .poll(() => listed('bob'), patience)
    .toEqual([ids.slice(0, 2).map((id) => [id, 'ISSUED']), true]);
  await freezeIssuer();
  for (const id of ids.slice(2)) {
    await stack.assign(id, 'bob');
  }
  const seen: [number, string][] = [];
  let query = '?limit=3';
  for (let page = 0; page < 3; page += 1) {
    const { body } = await wallet('bob', query);
    body.coupons.forEach((unit: { coupon_id: number; status: string }) =>
      seen.push([unit.coupon_id, unit.status]),
    );
    query = `?limit=3&after=${body.next}`;
    expect(body.next === null).toBe(page === 2);
    stack.app('issuer').signal('SIGCONT');
    await stack.request(`/api/v1/issuances/${body.coupons.at(-1).issuance_id}?wait=30`);
  }
  expect(seen.map(([id]) => id)).toEqual(ids);
  expect(seen[2]).toEqual([ids[2], 'ACCEPTED']);
});

test('what is refused is not listed any more', async () => {
  const [couponId = 0] = await stores.createCoupons(1, 2);
  await freezeIssuer();
  await stack.assign(couponId, 'refused');
  expect(await listed('refused')).toEqual([[[couponId, 'ACCEPTED']], true]);
  // Another hand issues it past the gate, so that MySQL refuses the one that was accepted.
  const other = anIssuanceId();
  await stores.query(
    'INSERT INTO issuance (id, coupon_id, user_id, epoch, issued_at) VALUES (?, ?, ?, 1, ?)',
    [uuidToBytes(other), couponId, Buffer.from('refused'), Date.now()],
  );
  stack.app('issuer').signal('SIGCONT');
  await expect
    .poll(async () => (await wallet('refused')).body.coupons, patience)
    .toMatchObject([{ issuance_id: other, status: 'ISSUED' }]);
});

test('says that it may not be all while Redis is away, and lists what is issued', async () => {
  const [issuedId = 0, acceptedId = 0] = await stores.createCoupons(2, 2);
  await stack.assign(issuedId, 'carol');
  const issued = [issuedId, 'ISSUED'];
  await expect.poll(() => listed('carol'), patience).toEqual([[issued], true]);
  await freezeIssuer();
  await stack.assign(acceptedId, 'carol');
  redis.hold();
  expect(await listed('carol', cut)).toEqual([[issued], false]);
  redis.release();
  await expect
    .poll(() => listed('carol', cut), patience)
    .toEqual([[issued, [acceptedId, 'ACCEPTED']], true]);
});

test('says that it may not be all while a gate is shut or gone, until it is recovered', async () => {
  const [couponId = 0, otherId = 0] = await stores.createCoupons(2, 2);
  await stack.assign(couponId, 'dave');
  await expect.poll(() => listed('dave'), patience).toEqual([[[couponId, 'ISSUED']], true]);
  await freezeIssuer();
  await stack.assign(otherId, 'dave');
  const names = await stores.redis.keys(`${stack.env['GATE_KEY_PREFIX']}{coupon:${otherId}}:*`);
  await stores.redis.unlink(...names);
  expect(await listed('dave')).toEqual([[[couponId, 'ISSUED']], false]);
  stack.app('issuer').signal('SIGCONT');
  await expect
    .poll(() => listed('dave'), patience)
    .toEqual([
      [
        [couponId, 'ISSUED'],
        [otherId, 'ISSUED'],
      ],
      true,
    ]);
});
