import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname } from 'node:path';
import { ensureBuilt } from '../infra/local/build.ts';
import { onStopSignal, runCommand } from '../infra/local/command.ts';
import { createProgress } from '../infra/local/progress.ts';
import type { Report } from '../infra/local/progress.ts';
import { ReadableError } from '../infra/local/readable-error.ts';
import { startServers, stopServers } from '../infra/local/servers.ts';
import type { LoadGenerator } from './load.ts';
import { findLoadGenerator } from './load.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { parseOptions, usage } from './options.ts';
import { OwnSpace } from './own-space.ts';
import type { PlannedRun } from './schedule.ts';
import { planRuns } from './schedule.ts';
import type { Run, SummaryRow } from './summary.ts';
import { formatTable, summarize, targetLabels, targetNames } from './summary.ts';
import { Targets } from './targets.ts';

/** The servers of `npm test`: two of these at once would only measure each other. */
const instance = 'test';
const warmUpSeconds = 5;

await runCommand(usage, async (args) => {
  const options = parseOptions(args);
  const interrupted = new AbortController();
  const removeHandlers = onStopSignal(
    () => interrupted.abort(),
    () => undefined,
  );
  try {
    return await bench(options, createProgress(), interrupted.signal);
  } catch (error) {
    throw interrupted.signal.aborted ? new ReadableError('Interrupted.') : error;
  } finally {
    removeHandlers();
  }
});

async function bench(options: BenchOptions, report: Report, abort: AbortSignal): Promise<number> {
  const loadBefore = os.loadavg();
  await ensureBuilt(report);
  const load = await findLoadGenerator();
  const { env, servers } = await startServers(instance, report, abort);
  let runs: Run[];
  try {
    runs = await onOwnTargets(new OwnSpace(env), report, abort, (targets) =>
      measure(targets, load, options, report, abort),
    );
  } finally {
    await report.step('stopping the servers', () => stopServers(instance));
  }
  const summary = summarize(runs);
  const machine = describeMachine(loadBefore, servers, load.name);
  mkdirSync(dirname(options.jsonFile), { recursive: true });
  const document = { measuredAt: new Date().toISOString(), machine, options, summary, runs };
  writeFileSync(options.jsonFile, `${JSON.stringify(document, null, 2)}\n`);
  process.stdout.write(`${formatTable(summary)}\nEvery figure: ${options.jsonFile}\n`);
  return judge(summary, options);
}

async function onOwnTargets<T>(
  space: OwnSpace,
  report: Report,
  abort: AbortSignal,
  work: (targets: Targets) => Promise<T>,
): Promise<T> {
  const targets = new Targets(instance, space);
  try {
    await report.step('starting api, issuer, keeper and two bare servers', () =>
      targets.start(abort),
    );
    return await work(targets);
  } finally {
    await report.step('stopping them', async () => {
      await targets.stop();
      await space.remove();
    });
  }
}

async function measure(
  targets: Targets,
  load: LoadGenerator,
  options: BenchOptions,
  report: Report,
  abort: AbortSignal,
): Promise<Run[]> {
  const runOne = (planned: PlannedRun, seconds: number): Promise<Run> =>
    runLoad(targets, load, planned, seconds, abort);
  const connections = options.connections[0]!;
  await report.step('warm-up', async () => {
    for (const target of targetNames) {
      await runOne({ round: 0, target, connections }, warmUpSeconds);
    }
  });
  const runs: Run[] = [];
  for (const planned of planRuns(options.rounds, options.connections)) {
    const run = await runOne(planned, options.seconds);
    report.line(describeRun(run, options.rounds));
    runs.push(run);
  }
  return runs;
}

/** Throws on the first answer that is not a success: such a run measures something else. */
async function runLoad(
  targets: Targets,
  load: LoadGenerator,
  { round, target, connections }: PlannedRun,
  seconds: number,
  abort: AbortSignal,
): Promise<Run> {
  abort.throwIfAborted();
  const couponId = await targets.freshCoupon(target);
  const run = `r${round}-${target}-${connections}`;
  const url = targets.url(target);
  const report = await load.run({ url, couponId, run, connections, seconds }, abort);
  abort.throwIfAborted();
  if (report.failures > 0 || report.requests === 0) {
    throw new ReadableError(
      `${targetLabels[target]} at ${connections} connections: ${report.failures} of ` +
        `${report.requests} requests failed.`,
    );
  }
  const endedAt = performance.now();
  await targets.settle(target, couponId, report.requests);
  const drainSeconds = Math.round(performance.now() - endedAt) / 1_000;
  return { round, target, connections, report, ...(target === 'assign' ? { drainSeconds } : {}) };
}

function describeRun({ round, target, connections, report, drainSeconds }: Run, rounds: number) {
  const drained =
    drainSeconds === undefined ? '' : `, all issued ${drainSeconds.toFixed(1)} s later`;
  return (
    `round ${round}/${rounds}  ${targetLabels[target]} at ${connections}: ` +
    `${report.requestsPerSecond} req/s, p50 ${report.p50Ms.toFixed(1)} ms, ` +
    `p99 ${report.p99Ms.toFixed(1)} ms${drained}`
  );
}

function judge(summary: SummaryRow[], { floor, connections }: BenchOptions): number {
  const most = connections.at(-1);
  const assign = summary.find((row) => row.target === 'assign' && row.connections === most);
  if (floor === undefined || (assign?.toLua ?? 0) >= floor) {
    return 0;
  }
  process.stderr.write(
    `assign does ${assign?.toLua.toFixed(2)} of ${targetLabels.lua} at ${most} connections; ` +
      `the floor is ${floor}.\n`,
  );
  return 1;
}
