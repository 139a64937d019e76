import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appKinds, planApps } from '../processes/apps.ts';
import type { AppCounts, AppKind, AppProcess } from '../processes/apps.ts';
import { ensureBuilt } from '../processes/build.ts';
import { wholeNumberIn } from '#platform/text/decimals.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { firstcome, firstcomeOrThrow } from '../processes/cli.ts';
import { identityOf, makeFirstKey } from './first-key.ts';
import { takeInstance, publishEnvironment } from '../processes/instance-owner.ts';
import { onStopSignal, unknownArgument } from '../terminal/command.ts';
import { logFile, logsDir, rootDir } from '../processes/paths.ts';
import { tail, terminate } from '../processes/process.ts';
import { createProgress } from '../terminal/progress.ts';
import type { Report } from '../terminal/progress.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { listRunFiles } from '../processes/run-files.ts';
import { ServerWatch } from '../servers/server-watch.ts';
import { startServers, stopServers } from '../servers/servers.ts';
import type { Endpoints } from '../servers/servers.ts';
import { SupervisedApp } from '../processes/supervised-app.ts';
import { waitForOk } from '../processes/waiting.ts';

/** How a command differs from npm start. */
export interface Mode {
  /** Gives each process a port for a debugger. */
  debuggers: boolean;
  /** Works beside the processes until `signal` is aborted. */
  whileUp(apps: SupervisedApp[], report: Report, signal: AbortSignal): Promise<void>;
}

export const instance = 'dev';
const processesMax = 16;
const seed = ['--id', '123', '--name', 'demo', '--total', '10000000', '--if-absent'];

/**
 * Brings up the servers and our processes, and runs them until Ctrl-C or until a process refuses
 * its configuration, which it throws. Leaves nothing running.
 */
export async function runFirstcome(counts: AppCounts, mode?: Mode): Promise<void> {
  const startedAtMs = Date.now();
  const report = createProgress();
  const stopping = new AbortController();
  const apps: SupervisedApp[] = [];
  takeInstance(instance);
  let watch: ServerWatch | undefined;
  let servers: Promise<Endpoints> | undefined;
  const removeHandlers = onStopSignal(() => stopping.abort(), killEverything);
  try {
    servers = startServers(instance, report, stopping.signal);
    const [endpoints] = await Promise.all([servers, ensureBuilt(report)]);
    watch = new ServerWatch(instance, (text) => report.line(text));
    await prepareData(endpoints.env, report);
    const firstKey = await makeFirstKey(endpoints.env, report);
    const say = (text: string): void => report.line(text);
    const plan = await planApps(counts, process.env, say, mode?.debuggers);
    await runApps(plan, apps, endpoints, report, stopping);
    process.stdout.write(summary(endpoints, plan, Date.now() - startedAtMs));
    process.stdout.write(identityOf(process.env, firstKey));
    await mode?.whileUp(apps, report, stopping.signal);
    await untilAborted(stopping.signal);
  } catch (error) {
    // A start that is interrupted fails in many ways, none of them news.
    if (!stopping.signal.aborted || stopping.signal.reason instanceof ReadableError) throw error;
  } finally {
    watch?.stop();
    // Servers that are still coming up can only be stopped when they are up, or have failed.
    await servers?.catch(() => undefined);
    const isAnythingLeft = listRunFiles(instance).some((run) => run.kind !== 'supervisor');
    const stop = (): Promise<void> => stopEverything(apps, watch);
    await (isAnythingLeft ? report.step('stopping', stop) : stop());
    removeHandlers();
  }
}

/** Reads `--api N` and its like. Throws at an option that is none of them. */
export function parseCounts(args: string[], usage: string): AppCounts {
  const counts: AppCounts = { api: 1, issuer: 1, keeper: 1 };
  const kinds: Record<string, keyof AppCounts> = {
    '--api': 'api',
    '--issuers': 'issuer',
    '--keepers': 'keeper',
  };
  const words = args.flatMap((arg) => arg.split('='));
  for (let index = 0; index < words.length; index += 2) {
    const kind = kinds[words[index] ?? ''];
    const count = wholeNumberIn(words[index + 1] ?? '');
    if (kind === undefined) {
      throw unknownArgument(words[index] ?? '', usage);
    }
    const least = kind === 'api' ? 1 : 0;
    if (count === undefined || count < least || count > processesMax) {
      throw new ReadableError(
        `${words[index]} takes a whole number from ${least} to ${processesMax}.`,
        exitCodes.wrongUse,
      );
    }
    counts[kind] = count;
  }
  return counts;
}

/** Tables and topics, then the coupon to play with. Both do nothing the second time. */
async function prepareData(env: Record<string, string>, report: Report): Promise<void> {
  await report.step('migrate', () => firstcomeOrThrow(env, 'migrate'));
  await report.step('seed coupon 123', async () => {
    const seeded = await firstcome(env, 'coupon', 'create', ...seed);
    if (seeded.exitCode !== exitCodes.fine) {
      // Somebody may have made a coupon 123 of his own; anything else fails here as well.
      await firstcomeOrThrow(env, 'coupon', 'show', '123');
      report.line(`Coupon 123 stays as it is. ${seeded.stderr.trimEnd()}`);
    }
  });
}

/** What does not work without a kind of process, in words. */
const missing: Partial<Record<AppKind, string>> = {
  issuer: 'No issuer runs: what is accepted stays undecided, and a gate that was lost stays shut.',
  keeper: 'No keeper runs: a gate that was lost stays shut.',
};

/** Nobody probes the apis of one machine: a stop need not last as long as a balancer takes. */
function withoutBalancer(): Record<string, string> {
  const { SHUTDOWN_DRAIN_MS = '500' } = process.env;
  return { SHUTDOWN_DRAIN_MS };
}

/** What the user has set for firstcome: other commands must look in the same places. */
function ownSettings(environment: NodeJS.ProcessEnv): Record<string, string> {
  const ours = /^(API|AUTH|GATE|JOBS|KAFKA|MYSQL)_/;
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      ours.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );
}

async function runApps(
  plan: AppProcess[],
  apps: SupervisedApp[],
  { env }: Endpoints,
  report: Report,
  stopping: AbortController,
): Promise<void> {
  const api = plan[0];
  publishEnvironment(instance, {
    ...ownSettings(process.env),
    ...env,
    API_PORT: String(api?.publicPort),
  });
  const supervision = {
    instance,
    say: (text: string) => report.line(text),
    onGivenUp: (error: ReadableError) => stopping.abort(error),
  } as const;
  for (const app of plan) {
    const ofApp = { ...env, ...withoutBalancer(), ...app.env };
    apps.push(new SupervisedApp({ ...app, env: ofApp }, supervision));
  }
  await report.step(plan.map((app) => app.name).join(', '), async () => {
    await Promise.all(apps.map((app) => app.start()));
    await Promise.all(apps.map((app) => app.ready(stopping.signal)));
    const lacking = appKinds.filter((kind) => !plan.some((app) => app.kind === kind));
    lacking.forEach((kind) => report.line(missing[kind] ?? ''));
    if (lacking.length > 0) return;
    const coupon = `http://127.0.0.1:${api?.publicPort}/api/v1/coupons/123`;
    await waitForOk(coupon, 'Coupon 123 is not open', {
      abort: stopping.signal,
      details: () => tail(logFile(instance, api?.name ?? 'api')),
      // After a restart the gates are recovered first; before that an assign would be told to wait.
      isGood: (body) => !body.includes('"RECOVERING"'),
    });
  });
}

/** Returns at Ctrl-C; throws when a process refused its configuration. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(2 ** 30, undefined, { signal }).catch(() => undefined);
  }
  if (signal.reason instanceof ReadableError) {
    throw signal.reason;
  }
}

/** Our processes first: they finish what they have begun while the servers are still there. */
async function stopEverything(apps: SupervisedApp[], watch?: ServerWatch): Promise<void> {
  await Promise.all(apps.map((app) => app.stop()));
  await stopServers(instance);
  if (watch !== undefined) {
    // A server that was being started again just now.
    await watch.settled();
    await stopServers(instance);
  }
}

function killEverything(): void {
  process.stderr.write('Hurrying.\n');
  for (const run of listRunFiles(instance).filter((each) => each.kind !== 'supervisor')) {
    void terminate(run.pid, run.startedAt, { signal: 'SIGKILL' });
  }
}

function summary(endpoints: Endpoints, plan: AppProcess[], tookMs: number): string {
  const port = plan[0]?.publicPort;
  const api = `http://127.0.0.1:${port}`;
  const publicPorts = new Set(
    plan.map((app) => app.publicPort).filter((each) => each && each !== port),
  );
  const others = [...publicPorts].map((each) => `, also on port ${each}`).join('');
  const servers = endpoints.servers.map(
    ({ name, latencyMs, source }) =>
      `  ${name.padEnd(12)}${`${latencyMs} ms`.padStart(8)}  ${source}`,
  );
  const internal = plan.map(({ name, internalPort }) => `${name} ${internalPort}`).join(', ');
  const debuggers = plan
    .flatMap(({ name, debuggerPort }) => (debuggerPort ? [`${name} ${debuggerPort}`] : []))
    .join(', ');
  return [
    `firstcome is up after ${(tookMs / 1_000).toFixed(1)} s`,
    ...servers,
    `  API       ${api}/api/v1${others}`,
    `  docs      ${api}/docs`,
    `  internal  http://127.0.0.1:PORT/metrics and /health/ready: ${internal}`,
    ...(debuggers === '' ? [] : [`  debuggers 127.0.0.1:PORT: ${debuggers}`]),
    `  logs      ${relative(rootDir, logsDir(instance))}`,
    'Try it:',
    `  curl -s ${api}/api/v1/coupons/assign -H 'content-type: application/json' ` +
      `-d '{"user_id":"me","coupon_id":123}'`,
    'Ctrl-C stops.',
    '',
  ].join('\n');
}
