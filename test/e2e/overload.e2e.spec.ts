import { afterAll, beforeAll, expect, test } from 'vitest';
import { anIssuanceId, userIds } from '../harness/fixtures.ts';
import type { Answer } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';

let stack: Stack;
let couponId: number;

beforeAll(async () => {
  stack = await prepareStack();
  await stack.startApp('api', { ASSIGN_IN_FLIGHT_MAX: '20' });
  await Promise.all((['issuer', 'keeper'] as const).map((kind) => stack.startApp(kind)));
  couponId = await stack.createCoupon(1_000);
});
afterAll(() => stack.stop());

test('what is too much at once gets 503 OVERLOADED, and what is admitted is issued', async () => {
  const users = userIds(300);
  const answers = await Promise.all(users.map((user) => stack.assign(couponId, user)));
  const [admitted, sentAway] = [byStatus(answers, 200), byStatus(answers, 503)];
  expect(admitted.length + sentAway.length).toBe(users.length);
  expect(admitted.length).toBeGreaterThanOrEqual(20);
  expect(sentAway.length).toBeGreaterThan(0);
  const codes = new Set(sentAway.map(({ body }) => body.code));
  expect(codes, stack.app('keeper').output).toEqual(new Set(['OVERLOADED']));

  const waits = sentAway.map(({ headers }) => Number(headers.get('retry-after')));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1);
  expect(Math.max(...waits)).toBeLessThanOrEqual(4);
  expect(new Set(waits).size).toBeGreaterThan(1);

  for (const { body } of admitted) {
    await expect
      .poll(async () => (await stack.request(body.status_url)).body.status)
      .toBe('ISSUED');
  }
  // The api reads the list of coupons once a second; this one is younger than that.
  await expect
    .poll(async () => (await stack.request(`/api/v1/coupons/${couponId}`)).body.left)
    .toBe(1_000 - admitted.length);
});

test('reads that wait for a frozen MySQL are few, the rest gets 503 OVERLOADED at once, and assigns go on', async () => {
  const mysqlUrl = stack.env['MYSQL_URL']!;
  const proxy = await TcpProxy.before(mysqlUrl);
  const api = await stack.startApp('api', {
    MYSQL_URL: proxy.through(mysqlUrl),
    READ_IN_FLIGHT_MAX: '10',
    ASSIGN_WAIT_MAX_MS: '2000',
    MYSQL_QUERY_TIMEOUT_MS: '60000',
  });
  const readStatus = () => stack.request(`/api/v1/issuances/${anIssuanceId(Date.now())}`, {}, api);
  try {
    expect((await readStatus()).status).toBe(200);
    proxy.hold();
    const reads = Array.from({ length: 30 }, readStatus);
    let sentAway = 0;
    reads.forEach((read) => void read.then(() => (sentAway += 1)).catch(() => undefined));
    await expect.poll(() => sentAway).toBe(20);
    const assigned = await stack.assign(couponId, 'while it stands still', { api });
    expect(assigned).toMatchObject({ status: 200 });
    expect(await stack.request('/health/live', {}, api)).toMatchObject({ status: 200 });

    proxy.release();
    const answers = await Promise.all(reads);
    expect(byStatus(answers, 200)).toHaveLength(10);
    const codes = byStatus(answers, 503).map(({ body }) => body.code);
    expect(codes).toEqual(Array(20).fill('OVERLOADED'));

    proxy.hold();
    // Of a coupon without a gate only MySQL knows; what it has no time for is counted as well.
    const withoutGate = await stack.assign(2_000_000_001, 'u', { api });
    expect([withoutGate.status, withoutGate.body.code]).toEqual([503, 'OVERLOADED']);
    expect(await api.metrics()).toMatch(/^firstcome_assigns_total\{outcome="overloaded"\} 1$/m);
  } finally {
    proxy.release();
    await api.kill();
    await proxy.close();
  }
});

function byStatus(answers: Answer[], status: number): Answer[] {
  return answers.filter((answer) => answer.status === status);
}
