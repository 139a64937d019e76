import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { userIds } from '../harness/fixtures.ts';
import type { Repeated } from '../harness/http/repeating-client.ts';
import { askAsSdksDo } from '../harness/http/repeating-client.ts';
import { startStack } from '../harness/stack/test-stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack(['api']);
});
afterAll(() => stack.stop());

function assign(couponId: number, userId: string): Promise<Repeated> {
  return askAsSdksDo(`${stack.app('api').publicUrl}/api/v1/coupons/assign`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user_id: userId, coupon_id: couponId }),
  });
}

test.each([
  ['sold out', [], 'SOLD_OUT'],
  ['over', ['--closes-at', '2020-01-01T00:00:00Z', '--yes'], 'CLOSED'],
  ['not to open for years', ['--opens-at', '2099-01-01T00:00:00Z'], 'NOT_OPEN'],
])(
  'whoever comes when a coupon is %s asks once, with the manners of SDKs',
  async (_, options, code) => {
    const couponId = await stack.createCoupon(1, ...options);
    await stack.assign(couponId, 'first');
    const users = userIds(50, 'late');
    const all = await Promise.all(users.map((userId) => assign(couponId, userId)));
    const codes = await Promise.all(
      all.map(async ({ response }) => ((await response.json()) as { code: string }).code),
    );
    expect(codes).toEqual(users.map(() => code));
    expect(all.reduce((sum, { requests }) => sum + requests, 0) / users.length).toBe(1);
  },
);

test('the same client repeats a 409 that does not say so', async () => {
  const server = createServer((_, response) =>
    response.writeHead(409, { 'retry-after-ms': '1' }).end(),
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  expect((await askAsSdksDo(`http://127.0.0.1:${port}`, {})).requests).toBe(3);
  server.close();
});
