import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../../infra/local/processes/waiting.ts';
import { aRequest, anIssuanceId } from '../../../test/harness/fixtures.ts';
import { TcpProxy } from '../../../test/harness/servers/tcp-proxy.ts';
import { silentFailures } from '../../../test/harness/silent-failures.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { testConfig } from '../../../test/harness/test-config.ts';
import { TestGate } from '../../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { TestMetrics } from '../../../test/harness/test-metrics.ts';
import { DecidedChannel } from '#gate/decided-channel.ts';
import type { StatusHint } from '#gate/status-hints.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { Announcer } from './announcer.ts';
import { DecidedLookups } from './decided-lookups.ts';
import { Pace } from './pace.ts';
import { Waiters } from './waiters.ts';
import { WaitingMetrics } from './waiting-metrics.ts';

/** Longer than anything here takes: whoever is told nothing is told nothing by then. */
const longMs = 30_000;

const here = new TestGate();
const ledger = new TestLedger();
const metrics = new TestMetrics();
const hints = new StatusHints(here.connection, here.prefix, 60);
const waiters = new Waiters(10_000);
/** How many ids each query to MySQL was about. */
const queries: number[] = [];
let channel: DecidedChannel;
let way: TcpProxy;
let announcer: Announcer;

beforeAll(async () => {
  await Promise.all([ledger.start(), here.start(), metrics.start()]);
  const url = testConfig().GATE_REDIS_URL;
  way = await TcpProxy.before(url);
  channel = new DecidedChannel(
    testConfig({ GATE_REDIS_URL: way.through(url), GATE_KEY_PREFIX: here.prefix }),
  );
  const counting = withStepsBefore(ledger.issuances, async (method, ids) => {
    if (method === 'findStatuses') {
      queries.push((ids as string[]).length);
    }
  });
  announcer = new Announcer(
    channel,
    waiters,
    new DecidedLookups(hints, counting, silentFailures(), 10_000),
    new Pace(),
    new WaitingMetrics(metrics.telemetry, waiters),
    pino({ level: 'silent' }),
  );
  announcer.start();
  await eventually(async () => channel.isHeard);
});
afterEach(() => queries.splice(0));
afterAll(async () => {
  await announcer.stop();
  channel.close();
  await way.close();
  await Promise.all([ledger.close(), here.close(), metrics.close()]);
});

/** Decided in MySQL, and nobody was told. */
async function decide(count = 1, total = 1_000_000): Promise<string[]> {
  const { id: couponId } = await ledger.createCoupon({ total });
  const requests = Array.from({ length: count }, (_, i) =>
    aRequest({ couponId, issuanceId: anIssuanceId(), userId: `user-${i}` }),
  );
  for (let from = 0; from < count; from += 500) {
    await ledger.issuances.decideChunk(requests.slice(from, from + 500));
  }
  return requests.map(({ issuanceId }) => issuanceId);
}

const hint: StatusHint = { couponId: 7, userId: 'ann', status: 'ISSUED', decidedAt: Date.now() };

test('who waits is told by the channel, what the hint says, and MySQL is not asked', async () => {
  const id = anIssuanceId();
  using waiter = waiters.join(id, 'answer')!;
  const told = waiter.told(longMs);
  await hints.write(new Map([[id, hint]]));
  expect(await told).toEqual({ issuanceId: id, ...hint });
  expect(await metrics.read('firstcome_waiter_told_seconds_count')).toMatchObject({
    '{by="channel"}': 1,
  });
});

test('what was said and left no hint is read in MySQL: issued or refused', async () => {
  const [issued, refused] = [(await decide())[0]!, (await decide(1, 0))[0]!];
  using first = waiters.join(issued, 'answer')!;
  using second = waiters.join(refused, 'events')!;
  const told = Promise.all([first.told(longMs), second.told(longMs)]);
  await here.raw.publish(`${here.prefix}decided`, `${issued} ${refused} ${anIssuanceId()}`);
  expect(await told).toMatchObject([
    { issuanceId: issued, status: 'ISSUED' },
    { issuanceId: refused, status: 'REFUSED', reason: 'SOLD_OUT' },
  ]);
});

test('what nobody said is found by a look, one query for all who wait', async () => {
  const ids = await decide(300);
  const waiting = ids.map((id) => waiters.join(id, 'answer')!);
  const told = await Promise.all(waiting.map((waiter) => waiter.told(longMs)));
  waiting.forEach((waiter) => waiter[Symbol.dispose]());
  expect(told.map((decided) => decided?.issuanceId)).toEqual(ids);
  expect(queries.length).toBeLessThanOrEqual(2);
  expect(Math.max(...queries)).toBe(300);
});

test('more than a look has room for come one slice after another, while the channel is heard', async () => {
  const ids = Array.from({ length: 1_200 }, () => anIssuanceId());
  const waiting = ids.map((id) => waiters.join(id, 'answer')!);
  await expect.poll(() => queries.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(4);
  waiting.forEach((waiter) => waiter[Symbol.dispose]());
  expect(Math.max(...queries)).toBe(500);
});

test('while the channel is away, and after it was, all who wait are looked for', async () => {
  const ids = await decide(1_200);
  way.cut();
  way.hold();
  await expect.poll(() => channel.isHeard).toBe(false);
  expect(channel.problem()).toContain('not reachable');
  const waiting = ids.map((id) => waiters.join(id, 'answer')!);
  const told = await Promise.all(waiting.map((waiter) => waiter.told(longMs)));
  waiting.forEach((waiter) => waiter[Symbol.dispose]());
  expect(told.map((decided) => decided?.issuanceId)).toEqual(ids);
  // In slices, of a look or two: not one each.
  expect(queries.length).toBeLessThanOrEqual(8);
  way.release();
  await expect.poll(() => channel.isHeard, { timeout: 15_000 }).toBe(true);
  expect(channel.problem()).toBeUndefined();
});

test('a connection that is dead without a word is found out, and the channel is heard again', async () => {
  way.strand();
  await expect.poll(() => channel.isHeard, { timeout: 15_000 }).toBe(false);
  await expect.poll(() => channel.isHeard, { timeout: 15_000 }).toBe(true);
  const id = anIssuanceId();
  using waiter = waiters.join(id, 'answer')!;
  const told = waiter.told(longMs);
  await hints.write(new Map([[id, hint]]));
  expect(await told).toMatchObject({ issuanceId: id });
});
