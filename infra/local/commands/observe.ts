import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { AlertNews, firingAlerts } from '../observe/alert-news.ts';
import type { Receivers } from '../observe/configs.ts';
import { startJaeger, tracesElsewhere } from '../observe/jaeger.ts';
import type { Jaeger } from '../observe/jaeger.ts';
import { Monitoring } from '../observe/monitoring.ts';
import { appTargets } from '../observe/targets.ts';
import { instanceOwner, releaseInstance, takeInstance } from '../processes/instance-owner.ts';
import { instanceDir, logFile, rootDir } from '../processes/paths.ts';
import { readRunFile } from '../processes/run-files.ts';
import { onStopSignal, runCommand, unknownArgument } from '../terminal/command.ts';
import { createProgress } from '../terminal/progress.ts';
import type { Report } from '../terminal/progress.ts';
import { ReadableError } from '../terminal/readable-error.ts';

const usage = `npm run observe -- [--traces]

Watches what npm start (or npm run dev) runs here: brings up Prometheus, Alertmanager and the exporters
of Redis, MySQL and this machine, prints their URLs, and says which alerts begin and end until Ctrl-C.
What is missing is installed with apt where this is root. Processes may come and go meanwhile.

  --traces   Jaeger as well, from its image or built with Go; else says which settings lead traces
             to one of yours

Where alerts are sent besides the screen, from the environment:
  ALERT_WEBHOOK_URL          gets the JSON of Alertmanager
  ALERT_WEBHOOK_TOKEN_FILE   a file with the bearer token of the webhook
  ALERT_SLACK_URL_FILE       a file with the URL of a Slack incoming webhook
`;

const watched = 'dev';
const household = 'observe';
const lookEveryMs = 1_000;

await runCommand(usage, async (args) => {
  const unknown = args.find((argument) => argument !== '--traces');
  if (unknown !== undefined) {
    throw unknownArgument(unknown, usage);
  }
  const report = createProgress();
  const stopping = new AbortController();
  const env = runningEnvironment();
  takeInstance(household);
  const removeHandlers = onStopSignal(
    () => stopping.abort(),
    () => process.stderr.write('It is stopping.\n'),
  );
  try {
    await observe(env, args.includes('--traces'), report, stopping.signal);
    return exitCodes.fine;
  } catch (error) {
    // A start that is interrupted fails in many ways, none of them news.
    if (!stopping.signal.aborted) throw error;
    return exitCodes.fine;
  } finally {
    releaseInstance(household);
    removeHandlers();
  }
});

/** Of the stack of this folder. Throws when none runs. */
function runningEnvironment(): Record<string, string> {
  const env = instanceOwner(watched)?.env ?? {};
  if (Object.keys(env).length === 0) {
    throw new ReadableError(
      'firstcome does not run here: start it first with npm start',
      exitCodes.storeAway,
    );
  }
  return env;
}

async function observe(
  env: Record<string, string>,
  withTraces: boolean,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const mysqlCommandLine = readRunFile(watched, 'mysql')?.command.find((word) =>
    word.startsWith('--datadir='),
  );
  let jaeger: Jaeger | undefined;
  const monitoring = await Monitoring.start(
    {
      household,
      stores: { env, mysqlCommandLine },
      receivers: receivers(),
      apps: () => appTargets(watched),
    },
    report,
    signal,
  );
  try {
    jaeger = withTraces ? await startJaeger(household, report, signal) : undefined;
    process.stdout.write(summary(monitoring));
    if (withTraces) process.stdout.write(jaeger?.says ?? tracesElsewhere);
    process.stdout.write('Ctrl-C stops.\n');
    await tellNews(monitoring, signal);
  } finally {
    await report.step('stopping', () => Promise.all([monitoring.stop(), jaeger?.stop()]));
  }
}

function receivers(): Receivers {
  return {
    webhookUrl: process.env['ALERT_WEBHOOK_URL'] || undefined,
    webhookTokenFile: process.env['ALERT_WEBHOOK_TOKEN_FILE'] || undefined,
    slackUrlFile: process.env['ALERT_SLACK_URL_FILE'] || undefined,
  };
}

/** Until Ctrl-C. Throws when Prometheus or Alertmanager ends by itself. */
async function tellNews(monitoring: Monitoring, signal: AbortSignal): Promise<void> {
  const { prometheus, alertmanager, exporters } = monitoring;
  const say = (text: string): void =>
    void process.stdout.write(`${new Date().toLocaleTimeString('en-GB')}  ${text}\n`);
  const news = new AlertNews(say);
  const gone = new Set<string>();
  let fires: number | undefined;
  while (!signal.aborted) {
    for (const { plan, isRunning } of [prometheus, alertmanager]) {
      if (!isRunning) {
        throw new ReadableError(`${plan.name} ended by itself: ${shortLog(plan.name)}`);
      }
    }
    for (const { plan } of exporters.filter(({ isRunning }) => !isRunning)) {
      if (!gone.has(plan.name)) say(`${plan.name} ended by itself: ${shortLog(plan.name)}`);
      gone.add(plan.name);
    }
    const alerts = await firingAlerts(prometheus.url).catch(() => undefined);
    if (alerts !== undefined) {
      news.note(alerts);
      if (alerts.length === 0 && fires === undefined) say('No alert fires.');
      if (alerts.length === 0 && (fires ?? 0) > 0) say('No alert fires any more.');
      fires = alerts.length;
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

function summary({ prometheus, alertmanager, exporters }: Monitoring): string {
  const ports = exporters.map(({ plan }) => `${plan.name} ${plan.port}`).join(', ');
  return [
    'Watching',
    `  Prometheus    ${prometheus.url}  (alerts: ${prometheus.url}/alerts)`,
    `  Alertmanager  ${alertmanager.url}`,
    `  exporters     http://127.0.0.1:PORT/metrics: ${ports === '' ? 'none' : ports}`,
    `  data, logs    ${relative(rootDir, instanceDir(household))}`,
    '',
  ].join('\n');
}

function shortLog(name: string): string {
  return relative(rootDir, logFile(household, name));
}
