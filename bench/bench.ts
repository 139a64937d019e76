import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname } from 'node:path';
import { ensureBuilt } from '../infra/local/processes/build.ts';
import { runInterruptible } from '../infra/local/terminal/command.ts';
import { createProgress } from '../infra/local/terminal/progress.ts';
import type { Report } from '../infra/local/terminal/progress.ts';
import { ReadableError } from '../infra/local/terminal/readable-error.ts';
import { startServers, stopServers } from '../infra/local/servers/servers.ts';
import type { LoadGenerator } from './load.ts';
import { findLoadGenerator } from './load.ts';
import type { Machine } from './machine.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { parseOptions, usage } from './options.ts';
import type { PlannedRun } from './schedule.ts';
import { planRuns } from './schedule.ts';
import type { Run, SummaryRow } from './summary.ts';
import { formatSummary, summarize, targetLabels, targetNames } from './summary.ts';
import { Targets } from './targets.ts';

/** The servers of `npm test`: two of these at once would only measure each other. */
const instance = 'test';
/** V8 and the JVM are not done before. */
const warmUpSeconds = 10;

await runInterruptible(usage, (args, abort) => bench(parseOptions(args), createProgress(), abort));

async function bench(options: BenchOptions, report: Report, abort: AbortSignal): Promise<number> {
  const loadBefore = os.loadavg();
  await ensureBuilt(report);
  const load = await findLoadGenerator();
  const { env, servers } = await startServers(instance, report, abort);
  const runs: Run[] = [];
  try {
    await onOwnTargets(new Targets(env, abort), report, (targets) =>
      measure(targets, load, { options, runs }, report, abort),
    );
  } finally {
    await report.step('stopping the servers', () => stopServers(instance));
    // Also of a bench that fails: what came before it may tell why.
    const machine = describeMachine(loadBefore, servers, load.name);
    writeJson(options.jsonFile, { measuredAt: new Date().toISOString(), machine, options, runs });
    process.stdout.write(`Every figure: ${options.jsonFile}\n`);
  }
  const summary = summarize(runs);
  process.stdout.write(`\n${formatSummary(summary)}`);
  return judge(summary, options);
}

function writeJson(
  file: string,
  document: { measuredAt: string; machine: Machine; options: BenchOptions; runs: Run[] },
): void {
  const isComplete = document.runs.length === planRuns(document.options).length;
  const summary = isComplete ? summarize(document.runs) : undefined;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...document, isComplete, summary }, null, 2)}\n`);
}

async function onOwnTargets(
  targets: Targets,
  report: Report,
  work: (targets: Targets) => Promise<void>,
): Promise<void> {
  try {
    await report.step('starting api, issuer and keeper twice, and three bare servers', () =>
      targets.start(),
    );
    await work(targets);
  } finally {
    await report.step('stopping them', () => targets.stop());
  }
}

async function measure(
  targets: Targets,
  load: LoadGenerator,
  { options, runs }: { options: BenchOptions; runs: Run[] },
  report: Report,
  abort: AbortSignal,
): Promise<void> {
  const runOne = (planned: PlannedRun, seconds: number): Promise<Run> =>
    runLoad(targets, load, planned, seconds, abort);
  const connections = options.connections[0]!;
  await report.step('warm-up', async () => {
    for (const target of targetNames) {
      await runOne({ round: 0, target, connections }, warmUpSeconds);
    }
  });
  for (const planned of planRuns(options)) {
    const run = await runOne(planned, options.seconds);
    report.line(describeRun(run, options.rounds));
    runs.push(run);
  }
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
  const cpuBefore = targets.cpuSeconds(target);
  const report = await targets.whileScraped(target, () =>
    load.run({ url, couponId, run, connections, seconds }, abort),
  );
  abort.throwIfAborted();
  if (report.failures > 0 || report.requests === 0) {
    throw new ReadableError(
      `${targetLabels[target]} at ${connections} connections: ${report.failures} of ` +
        `${report.requests} requests failed. ${await targets.explainFailures(target)}`,
    );
  }
  const endedAt = performance.now();
  await targets.settle(target, couponId, report.requests);
  const drainSeconds = Math.round(performance.now() - endedAt) / 1_000;
  const cpuUsed = targets.cpuSeconds(target) - cpuBefore;
  return {
    round,
    target,
    connections,
    report,
    cpuSeconds: (cpuUsed * 1_000) / report.requests,
    ...(target === 'assign' || target === 'silent' ? { drainSeconds } : {}),
  };
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
