import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AppKind } from '../../infra/local/processes/apps.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { FakedClock } from '../harness/stack/faked-clock.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import type { Answer } from '../../infra/harness/assign.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';

const opensInMs = 10_000;
const relayAfterMs = 1_000;
/** What machines with busy neighbours may be late, and far from an hour. */
const toleranceMs = 60_000;
/** What issuers may be behind in a rush, and far from an hour. */
const issuedSoonS = 20;
/** An audit is due every 15 s. */
const auditSoonMs = 10 * 60_000;

let clock: FakedClock;
let scenario: FaultScenario;
let stores: StackStores;
/** Whose clocks are off. */
let wrong: AppKind[] = [];

const right = '+0s';

type Clocks = Partial<Record<AppKind, string>>;

beforeAll(async () => {
  clock = await FakedClock.find();
  scenario = await FaultScenario.start({ env: { RELAY_AFTER_MS: String(relayAfterMs) } });
  stores = await StackStores.connect(scenario.stack);
});
afterEach(() => scenario.expectNothingLostSoFar());
afterAll(async () => {
  await stores.close();
  await scenario.stop();
});

/** When a process started, by the clock it has: its log goes by that as well. */
function timeOf(kind: AppKind): number {
  const [, time] = /"@timestamp":"([^"]+)"/.exec(scenario.stack.app(kind).output)!;
  return Date.parse(time!);
}

/**
 * Has the only process of each kind replaced by one that believes it is another time, and those that did
 * so before by ones that are right.
 */
async function putOff(clocks: Clocks): Promise<void> {
  const { stack, rush } = scenario;
  await rush.pause();
  const replace = async (each: AppKind, env: Record<string, string>): Promise<void> => {
    await stack.app(each).stop();
    await stack.startApp(each, env);
  };
  const off = Object.entries(clocks) as [AppKind, string][];
  const rightAgain = wrong.filter((kind) => clocks[kind] === undefined);
  await Promise.all([
    ...off.map(([kind, offset]) => replace(kind, clock.env(offset))),
    ...rightAgain.map((kind) => replace(kind, {})),
  ]);
  wrong = off.map(([kind]) => kind);
  for (const kind of wrong.filter((each) => clocks[each] !== right)) {
    const offMs = Math.abs(timeOf(kind) - (await stores.gate.now()));
    expect(offMs).toBeGreaterThan(3_600_000 - toleranceMs);
  }
  rush.resume();
  await scenario.untilServed();
}

function isAboutNow(time: string): void {
  expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(toleranceMs);
}

async function expectRightTimes(): Promise<void> {
  const { body } = (await scenario.rush.askFor(`asks at ${Date.now()}`))!;
  isAboutNow(body.accepted_at);
  const status = await scenario.issued(body.issuance_id);
  isAboutNow(status.accepted_at);
  isAboutNow(status.decided_at);
  expect(Date.parse(status.decided_at)).toBeGreaterThanOrEqual(Date.parse(status.accepted_at));
}

/** A coupon opens to the second, and a caller who is early is told when. */
async function expectToOpenOnTime(): Promise<void> {
  const opensAt = (await stores.gate.now()) + opensInMs;
  const [couponId] = await stores.createCoupons(1, 2, { opensAt });
  const ask = (): Promise<Answer> => scenario.stack.assign(couponId!, 'early bird');
  const early = await ask();
  expect([early.status, early.body.code]).toEqual([409, 'NOT_OPEN']);
  const retryAfterMs = Number(early.headers.get('retry-after')) * 1_000;
  expect(retryAfterMs).toBeGreaterThan(0);
  expect(retryAfterMs).toBeLessThanOrEqual(opensInMs);

  await expect.poll(async () => (await ask()).status, { interval: 20, timeout: 60_000 }).toBe(200);
  const { body } = await ask();
  expect(Date.parse(body.accepted_at)).toBeGreaterThanOrEqual(opensAt);
}

/** A reservation that nobody finished is not left to itself, and not taken up before it is due. */
async function expectToBeRelayed(): Promise<void> {
  const reserved = await stores.gate.reserve(scenario.couponId, [`orphan of ${Date.now()}`]);
  const { outcomes } = reserved as Extract<typeof reserved, { gate: 'open' }>;
  const { issuanceId } = outcomes[0] as { issuanceId: string };
  await scenario.issued(issuanceId);
}

/** What was never given is told from what is under way. */
async function expectUnknownIdToBeNotFound(): Promise<void> {
  const unknown = '01900000-0000-7000-8000-000000000000';
  const { status } = await scenario.stack.request(`/api/v1/issuances/${unknown}`);
  expect(status).toBe(404);
}

async function expectAllToBeRight(): Promise<void> {
  await expectRightTimes();
  await expectToOpenOnTime();
  await expectToBeRelayed();
  await expectUnknownIdToBeNotFound();
}

/** By the clock of the keeper that runs, the next one is due within minutes. */
async function expectAuditsToGoOn(): Promise<void> {
  const jobs = new Redis(scenario.stack.env['JOBS_REDIS_URL']!);
  const schedules = `${scenario.stack.name}:jobs:firstcome-reconcile:repeat`;
  const keeperIsOffMs = timeOf('keeper') - Date.now();
  try {
    await eventually(async () => {
      const [, next] = await jobs.zrange(schedules, 0, 0, 'WITHSCORES');
      return Math.abs(Number(next) - Date.now() - keeperIsOffMs) < auditSoonMs;
    });
  } finally {
    jobs.disconnect();
  }
}

describe('the clock of one process is off', () => {
  const cases = (['api', 'issuer', 'keeper'] as const).flatMap((kind) =>
    ['+1h', '-1h'].map((offset) => [kind, offset] as const),
  );

  test.for(cases)(
    '%s by %s: assigns, times of statuses and openings stay right, and nothing is lost',
    async ([kind, offset], context) => {
      clock.require(context);
      await putOff({ [kind]: offset });
      await expectAllToBeRight();
    },
  );
});

describe('the clock of the keeper is off', () => {
  test.for(['+1h', '-1h'])(
    'by %s: it tells the lag in seconds by that of the broker',
    async (offset, context) => {
      clock.require(context);
      await putOff({ keeper: offset });
      const issuer = scenario.stack.app('issuer');
      const lag = async (): Promise<number> => {
        const text = await scenario.stack.app('keeper').metrics();
        return Number(/^firstcome_lag_seconds (\S+)/m.exec(text)?.[1]);
      };
      await eventually(async () => (await lag()) < issuedSoonS);
      const frozenAt = Date.now();
      await issuer.freeze();
      try {
        await eventually(async () => (await lag()) > 2);
        expect(await lag()).toBeLessThan((Date.now() - frozenAt) / 1_000 + issuedSoonS);
      } finally {
        issuer.signal('SIGCONT');
      }
    },
  );
});

describe('the clocks of all processes are years off, each in another direction', () => {
  test.for<Clocks>([
    { api: '+10y', issuer: '-20y', keeper: '+10y' },
    { api: '-20y', issuer: '+10y', keeper: '-20y' },
  ])('%o: the same', async (clocks, context) => {
    clock.require(context);
    await putOff(clocks);
    await expectAllToBeRight();
    await expectAuditsToGoOn();
  });

  test('right again: audits do not wait for a time that a wrong clock has set', async (context) => {
    clock.require(context);
    await putOff({ keeper: right });
    await expectAuditsToGoOn();
  });
});
