import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../../infra/local/processes/build.ts';
import { releaseInstance, takeInstance } from '../../infra/local/processes/instance-owner.ts';
import { runOrThrow } from '../../infra/local/processes/process.ts';
import { rootDir } from '../../infra/local/processes/paths.ts';
import { stopLeftovers } from '../../infra/local/servers/servers.ts';
import { runInterruptible, unknownArgument } from '../../infra/local/terminal/command.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';
import type { Report } from '../../infra/local/terminal/progress.ts';
import { AlertStack } from './alert-stack.ts';
import type { Expected, Fault } from './fault.ts';
import { apiFaults } from './faults/api.ts';
import { databaseFaults } from './faults/database.ts';
import { issuanceFaults } from './faults/issuance.ts';
import { limitFaults } from './faults/limits.ts';
import { machineFaults } from './faults/machine.ts';
import { processFaults } from './faults/processes.ts';
import { storeFaults } from './faults/stores.ts';
import type { Received } from './receiver.ts';
import type { Row } from './report.ts';
import { problemsOf, reportFile, writeReport } from './report.ts';

const usage = `npm run test:alerts -- [alert …]

Starts a stack with servers of its own, Prometheus, Alertmanager, exporters and a webhook, makes one
fault after another, and waits for each alert at the webhook and for its end. Some twenty minutes.
Exits with 1 when one does not come in time. Puts what it has seen into docs/reports/alerts.md.

  alert   only faults that bring an alert of this name
`;

/** Its processes are those of tests; what watches them has a place of its own. */
const households = ['test', 'test-observe'] as const;
const faults = [
  ...limitFaults,
  ...databaseFaults,
  ...issuanceFaults,
  ...apiFaults,
  ...storeFaults,
  ...processFaults,
  ...machineFaults,
];
/** Of the alert, and of its end. */
const patienceMs = 75_000;
const lookEveryMs = 100;

await runInterruptible(usage, async (args, abort) => {
  const names = faults.flatMap(({ expects }) => expects.map(({ alert }) => alert));
  const unknown = args.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw unknownArgument(unknown, `${usage}\nAlerts: ${[...new Set(names)].join(', ')}`);
  }
  const chosen = faults.filter(
    ({ expects }) => args.length === 0 || expects.some(({ alert }) => args.includes(alert)),
  );
  const report = createProgress();
  await ensureBuilt(report);
  households.forEach(takeInstance);
  try {
    await stopLeftovers('test', report);
    return await fireAll(chosen, report, abort);
  } finally {
    households.forEach(releaseInstance);
  }
});

async function fireAll(chosen: Fault[], report: Report, abort: AbortSignal): Promise<number> {
  const rows: Row[] = [];
  const stack = await AlertStack.start(report, abort);
  try {
    await stack.observe(report, abort);
    for (const fault of chosen) {
      abort.throwIfAborted();
      const problem = fault.problem?.();
      if (problem !== undefined) {
        report.line(`- ${fault.what}: not on this machine, ${problem}`);
        continue;
      }
      rows.push(...(await report.step(fault.what, () => fire(fault, stack, report))));
      // As it comes: one that is interrupted keeps what it has seen.
      writeReport(rows, faults);
    }
  } finally {
    await report.step('stopping', () => stack.stop());
  }
  await runOrThrow('prettier', 'npx', ['prettier', '--write', reportFile], { cwd: rootDir });
  const problems = rows.flatMap(problemsOf);
  problems.forEach((problem) => process.stdout.write(`${problem}\n`));
  process.stdout.write(`${rows.length - problems.length} of ${rows.length} alerts as promised.\n`);
  return problems.length === 0 ? 0 : 1;
}

/** Makes a fault, waits for its alerts, mends it, and waits for their end. */
async function fire(fault: Fault, stack: AlertStack, report: Report): Promise<Row[]> {
  await untilQuiet(stack, report);
  await fault.prepare?.(stack);
  const brokenMs = performance.now();
  const mend = await fault.inject(stack);
  const fired = await Promise.all(
    fault.expects.map((expected) => told(stack, 'firing', expected, brokenMs)),
  );
  const mendedMs = performance.now();
  await mend();
  const ended = await Promise.all(
    fault.expects.map(async (expected, i) =>
      fired[i] === undefined ? undefined : told(stack, 'resolved', expected, mendedMs),
    ),
  );
  const rows = fault.expects.map((expected, i) => ({
    what: fault.what,
    expected,
    firedSeconds: secondsSince(brokenMs, fired[i]),
    resolvedSeconds: secondsSince(mendedMs, ended[i]),
  }));
  for (const { expected, firedSeconds, resolvedSeconds } of rows) {
    report.line(
      `  ${expected.alert} (${expected.severity}): after ${firedSeconds} s, over after ${resolvedSeconds} s`,
    );
  }
  return rows;
}

/** What an earlier fault has left must be over: it would hold up, or inhibit, what comes. */
async function untilQuiet(stack: AlertStack, report: Report): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const url = `${stack.monitoring!.alertmanager.url}/api/v2/alerts?active=true`;
    const alerts = (await (await fetch(url)).json()) as { labels: Record<string, string> }[];
    if (alerts.length === 0) {
      return;
    }
    if (performance.now() > giveUpAt) {
      const names = alerts.map(({ labels }) => JSON.stringify(labels)).join(' ');
      report.line(`  goes on although these fire: ${names}`);
      return;
    }
    await sleep(lookEveryMs * 5);
  }
}

async function told(
  stack: AlertStack,
  status: Received['status'],
  { alert, severity, labels }: Expected,
  sinceMs: number,
): Promise<Received | undefined> {
  const wanted = { alertname: alert, severity, ...labels };
  while (performance.now() < sinceMs + patienceMs) {
    const received = stack.receiver.find(status, wanted, sinceMs);
    if (received !== undefined) {
      return received;
    }
    await sleep(lookEveryMs);
  }
  return undefined;
}

function secondsSince(sinceMs: number, received: Received | undefined): number | undefined {
  return received === undefined ? undefined : Math.round((received.atMs - sinceMs) / 100) / 10;
}
