import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { testConfig, uniqueName } from '../../../test/harness/test-config.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { redisOptions } from '#gate/redis-options.ts';
import { auditQueue } from './audit-job.ts';
import { AuditSchedule } from './audit-schedule.ts';

/** To meddle behind the back of BullMQ. */
const raw = new Redis(testConfig().JOBS_REDIS_URL);
let queue: Queue;
/** What the schedules under test have asked the job store for, as it came. */
let asked: string[];
let schedules: AuditSchedule[];

beforeEach(() => {
  asked = [];
  schedules = [];
  queue = new Queue(auditQueue, {
    connection: redisOptions(testConfig().JOBS_REDIS_URL, undefined),
    prefix: uniqueName(),
  });
  // The looks that come every 10 s; all else here goes by the clock.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(async () => {
  schedules.forEach((schedule) => schedule.onModuleDestroy());
  vi.useRealTimers();
  vi.restoreAllMocks();
  await queue.obliterate();
  await queue.close();
});

afterAll(() => raw.disconnect());

/** That of a keeper which has just started, with a job store that does `before` ahead of each call. */
function begin(before = (): Promise<void> => Promise.resolve()): AuditSchedule {
  const schedule = new AuditSchedule(
    withStepsBefore(queue, async (method) => {
      if (method !== 'on') {
        asked.push(method);
        await before();
      }
    }),
  );
  schedules.push(schedule);
  schedule.onModuleInit();
  return schedule;
}

/** When the job is due, of each schedule for it there is. */
async function dueAt(): Promise<number[]> {
  return (await queue.getJobSchedulers()).map(({ next }) => next!);
}

/** The time of a look comes. */
function look(afterMs = 10_000): void {
  vi.advanceTimersByTime(afterMs);
}

test('the job is scheduled once for all keepers, every 15 s, and keeps few of its runs', async () => {
  begin();
  begin();
  await expect.poll(() => asked).toEqual(['upsertJobScheduler', 'upsertJobScheduler']);
  await expect
    .poll(async () => queue.getJobSchedulers())
    .toMatchObject([
      {
        key: 'reconcile',
        name: 'reconcile',
        every: 15_000,
        template: { opts: { removeOnComplete: 10, removeOnFail: 10 } },
      },
    ]);
});

test('a schedule that the job store has lost is made again at the next look', async () => {
  begin();
  await expect.poll(dueAt).toHaveLength(1);
  await queue.removeJobScheduler('reconcile');
  look(9_999);
  expect(asked).toHaveLength(1);
  look(1);
  await expect.poll(dueAt).toHaveLength(1);
});

test.each([
  ['within five minutes is left as it is', 280_000, false],
  ['later, by a clock that is wrong, is made anew', 320_000, true],
  ['long ago is made anew', -320_000, true],
])('a schedule that is due %s', async (_, inMs, isMadeAnew) => {
  begin();
  await expect.poll(dueAt).toHaveLength(1);
  const due = Date.now() + inMs;
  await raw.zadd(queue.toKey('repeat'), due, 'reconcile');
  expect(await dueAt()).toEqual([due]);
  const looked = () => {
    look();
    return asked.filter((method) => method === 'getJobScheduler').length;
  };
  // Whoever looks for the second time is done with what the first look has led to.
  await expect.poll(looked).toBeGreaterThan(1);
  const [dueNow] = await dueAt();
  if (isMadeAnew) {
    expect(Math.abs(dueNow! - Date.now())).toBeLessThanOrEqual(15_000);
  } else {
    expect(dueNow).toBe(due);
  }
});

test('a job store that does not answer is asked one thing at a time, and again when it has', async () => {
  let answer = (): void => {};
  begin(() => new Promise((resolve) => (answer = resolve)));
  look();
  look();
  expect(asked).toEqual(['upsertJobScheduler']);
  answer();
  await expect.poll(dueAt).toHaveLength(1);
  await expect
    .poll(() => {
      look();
      return asked.slice(1, 2);
    })
    .toEqual(['getJobScheduler']);
  answer();
});

test('a job store that is away stops no keeper, and is asked again at the next look', async () => {
  let isAway = true;
  begin(async () => {
    if (isAway) {
      throw new Error('away');
    }
  });
  // What nobody listens to, BullMQ prints.
  await expect.poll(() => queue.emit('error', new Error('away'))).toBe(true);
  isAway = false;
  await expect
    .poll(async () => {
      look();
      return dueAt();
    })
    .toHaveLength(1);
});

test('a keeper that ends asks no more', async () => {
  const schedule = begin();
  await expect.poll(dueAt).toHaveLength(1);
  schedule.onModuleDestroy();
  look(60_000);
  expect(asked).toEqual(['upsertJobScheduler']);
});
