import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redis } from '../../infra/local/servers/redis.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { patientTimeouts } from '../harness/stack/test-stack.ts';
import { SpareServer } from '../harness/servers/spare-server.ts';

const kind = redis('JOBS_REDIS_URL', 'JOBS_REDIS_CA_FILE');
const problem = await SpareServer.problem(kind);

let jobStore: SpareServer;
let jobs: Redis;
let scenario: FaultScenario;

beforeAll(async () => {
  if (problem === undefined) {
    jobStore = await SpareServer.start(kind);
    jobs = new Redis(jobStore.url);
    jobs.on('error', () => {});
    scenario = await FaultScenario.start({
      // Nothing that an assign needs breaks here.
      env: { ...patientTimeouts, JOBS_REDIS_URL: jobStore.url },
    });
  }
});
beforeEach(({ skip }) => skip(problem !== undefined, problem));
afterAll(async () => {
  try {
    await scenario?.stop();
  } finally {
    jobs?.disconnect();
    await jobStore?.remove();
  }
});

/** When the reconcile job is due next; nothing while it is not scheduled. */
async function nextRunAt(): Promise<number | undefined> {
  const queue = `${scenario.stack.name}:jobs:firstcome-reconcile`;
  const [, score] = await jobs.zrange(`${queue}:delayed`, 0, 0, 'WITHSCORES');
  const schedulers = await jobs.zcard(`${queue}:repeat`);
  return score === undefined || schedulers === 0 ? undefined : Number(score);
}

/** Nobody is told anything about it; the job is scheduled again, once, by the keeper that runs. */
async function expectNobodyNotices(lose: () => Promise<unknown>): Promise<void> {
  await eventually(nextRunAt);
  const answers = scenario.rush.answers.length;
  await lose();
  await scenario.untilServed();
  await eventually(nextRunAt);
  const told = scenario.rush.answers.slice(answers).map(({ status }) => status);
  expect(new Set(told)).toEqual(new Set([200]));
  expect(await jobs.keys('*:repeat')).toHaveLength(1);
}

describe('a job store that is wiped under load', () => {
  test('by FLUSHALL: assigns go on, and the reconcile job is scheduled again by itself', () =>
    expectNobodyNotices(() => jobs.flushall()));

  test('by SIGKILL and a lost disk: assigns go on, and the reconcile job is scheduled again by itself', () =>
    expectNobodyNotices(async () => {
      await jobStore.stop('SIGKILL');
      await scenario.untilServed();
      rmSync(join(jobStore.dataDir, 'appendonlydir'), { recursive: true });
      await jobStore.start();
    }));

  test('nothing is lost, and nobody has two', () => scenario.expectNothingLost());
});
