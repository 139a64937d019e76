import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AppKind } from '../../infra/local/processes/apps.ts';
import { appKinds } from '../../infra/local/processes/apps.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { documentedMetrics } from '../harness/documented-metrics.ts';
import type { Family } from '../harness/metrics-text.ts';
import { parseMetrics } from '../harness/metrics-text.ts';
import { aRequestRecord, anIssuanceId } from '../harness/fixtures.ts';
import { StackLog } from '../harness/stack/stack-log.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { startStack } from '../harness/stack/test-stack.ts';

const identityIsOff = 'identity is off (identity.e2e.spec.ts)';

/** What a system that is well does not show, and why. */
const excused: Record<string, string> = {
  firstcome_failures_total: 'nothing fails (stores-away.outage.spec.ts)',
  firstcome_series_dropped: 'no metric has so many series (observed-metrics.spec.ts)',
  firstcome_recovery_partition_wait_seconds: 'nothing is recovered (recovery-apart.faults.spec.ts)',
  firstcome_redis_memory_ratio: 'this Redis has no maxmemory (store-refuses.outage.spec.ts)',
  firstcome_identity_refused_total: identityIsOff,
  firstcome_key_set_age_seconds: identityIsOff,
  firstcome_key_set_reads_total: identityIsOff,
  firstcome_tokens_remembered: identityIsOff,
  firstcome_api_keys: identityIsOff,
  firstcome_api_keys_age_seconds: identityIsOff,
  firstcome_slow_queries_total: 'no query is slow (status.e2e.spec.ts)',
};
const excusedLabels = ['error_type'];

const documented = documentedMetrics();
const couponsMax = 2;
let stack: Stack;
/** One is sold out; only as many as the setting says have series of their own. */
let coupons: number[];

beforeAll(async () => {
  stack = await startStack(appKinds, {
    METRICS_COUPONS_MAX: String(couponsMax),
    RELAY_AFTER_MS: '500',
  });
  coupons = [];
  for (const total of [10, 20, 30, 1]) {
    coupons.push(await stack.createCoupon(total));
  }
  for (const user of ['ann', 'bob', 'carl']) {
    await stack.assign(coupons.at(-1)!, user);
  }
  // A dead letter, a request that is refused while somebody waits for it, and a reservation that only the relay publishes.
  const log = await StackLog.connect(stack);
  // So young that no watermark passes it.
  const refused = anIssuanceId(Date.now() + 30_000);
  const told = stack.request(`/api/v1/issuances/${refused}?wait=30`);
  await eventually(async () =>
    /^firstcome_waiters\{kind="answer"[^}]*\} 1$/m.test(await stack.app('api').metrics()),
  );
  const request = aRequestRecord({ issuanceId: refused, couponId: 2_000_000_000 });
  await log.append(0, 'no request', request);
  await Promise.all([told, log.close()]);
  const stores = await StackStores.connect(stack);
  await stores.gate.reserve(coupons[0]!, ['dora']);
  await stores.close();
});
afterAll(() => stack.stop());

async function shownBy(kind: AppKind): Promise<Map<string, Family>> {
  return parseMetrics(await stack.app(kind).metrics());
}

async function valueOf(name: string, labels: Record<string, string> = {}): Promise<number | null> {
  const { series } = (await shownBy('keeper')).get(name) ?? { series: [] };
  const same = (one: Record<string, string>) =>
    Object.entries(labels).every(([label, value]) => one[label] === value);
  return series.find((one) => same(one.labels))?.value ?? null;
}

it.each(appKinds)('docs/metrics.md has all that the %s shows, with its labels', async (kind) => {
  const wrong: string[] = [];
  for (const { name, type, series } of (await shownBy(kind)).values()) {
    const row = documented.find((one) => one.name === name && one.processes.includes(kind));
    const labels = new Set(series.flatMap((one) => Object.keys(one.labels)));
    const unknown = [...labels].filter((label) => row?.labels.includes(label) === false);
    if (row?.type !== type || unknown.length > 0) {
      wrong.push(`${name} (${type}) of the ${kind}: ${unknown.join(', ')}`);
    }
  }
  expect(wrong).toEqual([]);
});

it.each(appKinds)('the %s shows all that docs/metrics.md says, with every label', async (kind) => {
  const rows = documented.filter(
    ({ name, processes }) => processes.includes(kind) && !excused[name],
  );
  const missing = async () => {
    const shown = await shownBy(kind);
    return rows.flatMap(({ name, labels }) => {
      const series = shown.get(name)?.series ?? [];
      const has = new Set(series.flatMap((one) => Object.keys(one.labels)));
      const lacking = labels.filter((label) => !has.has(label) && !excusedLabels.includes(label));
      return series.length > 0 && lacking.length === 0 ? [] : [`${name}: ${lacking.join(', ')}`];
    });
  };
  await expect.poll(missing, { timeout: 30_000, interval: 500 }).toEqual([]);
});

it('coupons beyond METRICS_COUPONS_MAX are summed as one', async () => {
  const left = (coupon: string) => valueOf('firstcome_coupon_left', { coupon_id: coupon });
  const total = (coupon: string) => valueOf('firstcome_coupon_total', { coupon_id: coupon });
  const [first, second, third, last] = coupons.map(String) as [string, string, string, string];
  await expect.poll(() => left(last), { timeout: 10_000 }).toBe(0);
  expect([await left(third), await left('other')]).toEqual([30, 9 + 20]);
  expect([await total(third), await total(last), await total('other')]).toEqual([30, 1, 30]);
  expect([await left(first), await left(second)]).toEqual([null, null]);
});

it('the lag in seconds is the age of what nobody decides, and 0 once it is decided', async () => {
  await expect.poll(() => valueOf('firstcome_lag_seconds'), { timeout: 10_000 }).toBe(0);
  await stack.app('issuer').kill();
  const before = Date.now();
  expect((await stack.assign(coupons[0]!, 'waits')).status).toBe(200);
  const after = Date.now();
  await expect.poll(() => valueOf('firstcome_lag_seconds'), { timeout: 10_000 }).toBeGreaterThan(2);
  const asked = Date.now();
  const seconds = (await valueOf('firstcome_lag_seconds'))!;
  expect(seconds).toBeGreaterThan((asked - after) / 1_000 - 0.5);
  expect(seconds).toBeLessThan((Date.now() - before) / 1_000 + 0.5);
  await stack.startApp('issuer');
  await expect.poll(() => valueOf('firstcome_lag_seconds'), { timeout: 20_000 }).toBe(0);
  expect(await valueOf('firstcome_drain_eta_seconds')).toBe(0);
});
