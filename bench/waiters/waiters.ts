import os from 'node:os';
import { Stack } from '../../infra/harness/stack.ts';
import { ensureBuilt } from '../../infra/local/processes/build.ts';
import { waitUntil } from '../../infra/local/processes/waiting.ts';
import { startServers, stopServers } from '../../infra/local/servers/servers.ts';
import { runInterruptible } from '../../infra/local/terminal/command.ts';
import { Options } from '../../infra/local/terminal/options.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';
import type { Report } from '../../infra/local/terminal/progress.ts';
import { ReadableError } from '../../infra/local/terminal/readable-error.ts';
import { formatTable } from '../../infra/local/terminal/table.ts';
import { cpuSeconds } from '../cpu.ts';
import { ForkedCrowd, standingDeadlineMs } from './forked-crowd.ts';
import { crowding, pollAsTold } from './polls.ts';
import { Undecided } from './undecided.ts';

const instance = 'test';

const usage = `npm run bench:waiters -- [options]

Waits: so many people at one api, half of them by ?wait=30 and half by events, while decisions are made
at a steady rate; how much memory they take, and how long after its decision each is told. Then people
who poll when they are told to: how often they ask, and whether they come together. Brings up what it
needs on the servers of npm test. Exit code 1 when a target is missed.

  --waiters N      who waits at once                     (10000)
  --decisions N    decisions a second                    (500)
  --connect N      connections that are made a second    (500)
  --polls N        people a second who poll              (500)
  --seconds N      for how long those come               (15)
`;

const targets = { memoryMb: 300, toldP99Ms: 100, callsP99: 2, crowding: 2 };

type Sizes = Record<'waiters' | 'decisions' | 'connect' | 'polls' | 'seconds', number>;

/** A figure, its target, and whether it is kept. */
type Row = [what: string, measured: string, target: string, verdict: string];

await runInterruptible(usage, async (args, abort) => {
  const given = new Options(args, ['waiters', 'decisions', 'connect', 'polls', 'seconds'], usage);
  const sizes: Sizes = {
    waiters: given.positive('waiters', 10_000, 25_000),
    decisions: given.positive('decisions', 500, 10_000),
    connect: given.positive('connect', 500, 10_000),
    polls: given.positive('polls', 500, 5_000),
    seconds: given.positive('seconds', 15, 600),
  };
  const report = createProgress();
  const loadBefore = os.loadavg().map((load) => load.toFixed(1));
  await ensureBuilt(report);
  const { env } = await startServers(instance, report, abort);
  const settings = {
    KAFKA_REPLICATION_FACTOR: '1',
    KAFKA_MIN_INSYNC_REPLICAS: '1',
    KAFKA_PARTITIONS: '1',
    WAITERS_MAX: String(sizes.waiters),
    API_CONNECTIONS_MAX: String(Math.ceil(sizes.waiters * 1.5)),
  };
  const stack = new Stack({ servers: env, env: settings, name: 'waiters', abort });
  try {
    // No keeper: its relay would publish what is only reserved.
    await stack.start(['api', 'issuer']);
    // Polls first: who waits here is let wait for long, and whoever comes next is told of that.
    const polls = await measurePolls(stack, sizes, report);
    const rows = [...(await measureWaits(stack, sizes, report)), ...polls];
    process.stdout.write(`load of the machine before: ${loadBefore.join(' ')}\n\n`);
    process.stdout.write(formatTable([['', 'measured', 'target', ''], ...rows]));
    return rows.some((row) => row[3] === 'missed') ? 1 : 0;
  } finally {
    await report.step('stopping', async () => {
      await stack.stop();
      await stopServers(instance);
    });
  }
});

async function measureWaits(stack: Stack, sizes: Sizes, report: Report): Promise<Row[]> {
  const { waiters, decisions, connect } = sizes;
  const couponId = await stack.createCoupon(waiters);
  const undecided = await report.step(`reserving ${waiters}`, () =>
    Undecided.reserve(stack, couponId, waiters),
  );
  const [api, issuer] = [stack.app('api'), stack.app('issuer')];
  const idle = await residentMb(stack);
  const crowd = new ForkedCrowd({
    url: api.publicUrl,
    issuanceIds: undecided.issuanceIds,
    connectionsPerSecond: connect,
  });
  try {
    await report.step(`${waiters} wait`, () => untilWaiting(stack, crowd, waiters));
    const standing = await residentMb(stack);
    const cpuBefore = [api, issuer].map(({ pid }) => cpuSeconds(pid));
    await report.step(`deciding ${decisions} a second`, async () => {
      await undecided.publish(decisions);
      await crowd.untilTold(waiters);
    });
    const after = await residentMb(stack);
    const cpu = [api, issuer].map(({ pid }, i) => cpuSeconds(pid) - cpuBefore[i]!);
    const latencies = crowd.latenciesMs.toSorted((a, b) => a - b);
    const at = (part: number): number => latencies[Math.floor((latencies.length - 1) * part)]!;
    const most = Math.max(standing, after) - idle;
    return [
      figure('memory over idle, MB', most, targets.memoryMb),
      ['memory idle, MB', idle.toFixed(0), '', ''],
      ['told after a decision, ms: p50', at(0.5).toFixed(0), '', ''],
      figure('told after a decision, ms: p99', at(0.99), targets.toldP99Ms),
      ['told after a decision, ms: most', at(1).toFixed(0), '', ''],
      ['CPU of the api for all of it, s', cpu[0]!.toFixed(1), '', ''],
      ['CPU of the issuer for all of it, s', cpu[1]!.toFixed(1), '', ''],
    ];
  } finally {
    crowd.end();
    await undecided.close();
  }
}

async function measurePolls(stack: Stack, sizes: Sizes, report: Report): Promise<Row[]> {
  const { polls: perSecond, seconds } = sizes;
  await warmUp(stack);
  const couponId = await stack.createCoupon(perSecond * seconds);
  const { calls, due, sent, failures } = await report.step(`polling, ${perSecond} a second`, () =>
    pollAsTold(stack.app('api'), couponId, { perSecond, seconds }),
  );
  if (failures > 0) {
    throw new ReadableError(`${failures} of those who polled failed.`);
  }
  const sorted = calls.toSorted((a, b) => a - b);
  const mean = calls.reduce((sum, each) => sum + each, 0) / calls.length;
  return [
    ['status calls of an issuance: mean', mean.toFixed(2), '', ''],
    figure(
      'status calls of an issuance: p99',
      sorted[Math.floor(sorted.length * 0.99)]!,
      targets.callsP99,
    ),
    figure('busiest 100 ms of polls as told, of the mean', crowding(due), targets.crowding, 2),
    ['busiest 100 ms of polls as sent, of the mean', crowding(sent).toFixed(2), '', ''],
  ];
}

function figure(what: string, measured: number, most: number, digits = 0): Row {
  return [what, measured.toFixed(digits), `≤ ${most}`, measured <= most ? 'kept' : 'missed'];
}

/** What is loaded and compiled by the first requests is no cost of those who wait. */
async function warmUp(stack: Stack): Promise<void> {
  const couponId = await stack.createCoupon(100);
  for (let i = 0; i < 100; i += 1) {
    const { body } = await stack.assign(couponId, `early-${i}`);
    await stack.request(`${body.status_url}?wait=10`);
  }
}

async function residentMb(stack: Stack): Promise<number> {
  const text = await stack.app('api').metrics();
  return Number(/^process_resident_memory_bytes\S* (\S+)/m.exec(text)?.[1]) / 2 ** 20;
}

function untilWaiting(stack: Stack, crowd: ForkedCrowd, count: number): Promise<unknown> {
  const waiting = async (): Promise<true | undefined> => {
    crowd.throwIfFailed();
    const shown = (await stack.app('api').metrics()).matchAll(/^firstcome_waiters\{.*\} (\d+)$/gm);
    const sum = [...shown].reduce((total, [, each]) => total + Number(each), 0);
    return sum === count ? true : undefined;
  };
  const failure = (): string => `Not all of the ${count} wait.`;
  return waitUntil(waiting, { deadlineMs: standingDeadlineMs, failure });
}
