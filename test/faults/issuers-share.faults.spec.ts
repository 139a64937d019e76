import { afterAll, beforeAll, expect, test } from 'vitest';
import { inLanes } from '#platform/work/lanes.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { logLines } from '../harness/log-lines.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';

const partitions = 8;
const couponCount = 200;
const usersPerCoupon = 10;
const mysqlDelayMs = 50;

let stack: Stack;
let stores: StackStores;
let mysql: TcpProxy;
let couponIds: number[];
let rounds = 0;

beforeAll(async () => {
  stack = await startStack(['api', 'keeper'], { KAFKA_PARTITIONS: String(partitions) });
  stores = new StackStores(stack);
  mysql = await TcpProxy.before(stack.env['MYSQL_URL']!);
  couponIds = await stores.createCoupons(couponCount, partitions);
});
afterAll(async () => {
  await mysql.close();
  await stores.close();
  await stack.stop();
});

/** An issuer for which MySQL is as far away as the proxy says. */
function startIssuer(): Promise<App> {
  return stack.startApp('issuer', { MYSQL_URL: mysql.through(stack.env['MYSQL_URL']!) });
}

async function issuedCount(): Promise<number> {
  const [row] = await stores.query<{ count: number }>('SELECT COUNT(*) AS count FROM issuance');
  return row!.count;
}

async function decidedBy(issuer: App): Promise<number> {
  const sample = /^firstcome_issuances_decided_total\{[^}]*\} (\d+)/m.exec(await issuer.metrics());
  return Number(sample?.[1] ?? 0);
}

/** How many partitions this issuer was given last, as it says in its log. */
function ownedBy(issuer: App): number {
  const joined = logLines(issuer.output).findLast(
    ({ message }) => message === 'joined the consumer group',
  );
  const byTopic = (joined?.firstcome?.['partitions'] ?? {}) as Record<string, number[]>;
  return Object.values(byTopic).flat().length;
}

/** Lets a backlog of all coupons build up while MySQL stands still, and times how it is drained. */
async function secondsToDrain(): Promise<number> {
  rounds += 1;
  mysql.hold();
  const requests = couponIds.flatMap((couponId) =>
    Array.from({ length: usersPerCoupon }, (_, i) => ({ couponId, user: `${rounds}-${i}` })),
  );
  await inLanes(requests, 50, async ({ couponId, user }) => {
    expect((await stack.assign(couponId, user)).status).toBe(200);
  });
  mysql.delayMs = mysqlDelayMs;
  mysql.release();
  const startedAt = performance.now();
  await expect.poll(issuedCount, { timeout: 60_000, interval: 50 }).toBe(rounds * requests.length);
  mysql.delayMs = 0;
  return (performance.now() - startedAt) / 1_000;
}

test('two issuers share the partitions and drain many coupons faster than one, MySQL being slow', async () => {
  const first = await startIssuer();
  const alone = await secondsToDrain();

  const second = await startIssuer();
  for (const issuer of [first, second]) {
    // kafkajs gives the members of a group a minute to agree.
    await expect.poll(() => ownedBy(issuer), { timeout: 90_000 }).toBe(partitions / 2);
  }
  const before = await decidedBy(first);
  const together = await secondsToDrain();
  const ofFirst = async (): Promise<number> => (await decidedBy(first)) - before;
  // Counted a moment after it is in MySQL.
  await expect
    .poll(async () => (await ofFirst()) + (await decidedBy(second)))
    .toBe(couponCount * usersPerCoupon);
  const share = (await ofFirst()) / (couponCount * usersPerCoupon);

  console.log(`drained in ${alone.toFixed(1)} s by one, in ${together.toFixed(1)} s by two`);
  expect(share).toBeGreaterThan(0.3);
  expect(share).toBeLessThan(0.7);
  expect(together).toBeLessThan(alone);
  expect((await stack.firstcome('verify')).exitCode).toBe(0);
});
