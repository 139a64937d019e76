import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Stack } from '../infra/harness/stack.ts';
import { appKinds } from '../infra/local/processes/apps.ts';
import { ensureBuilt } from '../infra/local/processes/build.ts';
import { startServers, stopServers } from '../infra/local/servers/servers.ts';
import { runInterruptible } from '../infra/local/terminal/command.ts';
import { Options } from '../infra/local/terminal/options.ts';
import { ReadableError } from '../infra/local/terminal/readable-error.ts';
import type { Report } from '../infra/local/terminal/progress.ts';
import { createProgress } from '../infra/local/terminal/progress.ts';
import { formatTable } from '../infra/local/terminal/table.ts';
import { cpuSeconds } from './cpu.ts';
import type { LoadGenerator } from './load.ts';
import { findLoadGenerator } from './load.ts';
import { assertNeverDied, drain } from './readings.ts';
import { median } from './summary.ts';

const usage = `npm run bench:traces -- [options]

What an assign costs with traces off, with one request in a hundred sampled, with failed and slow ones
kept besides, and with all of them sampled: CPU seconds of api, issuer and keeper for 1 000 requests, and
requests a second. Each has processes of its own, all on the servers of npm test; spans go to a receiver
that takes them and keeps none.

  --rounds N        rounds, each of every setting   (9)
  --seconds N       length of one run               (3)
  --connections N   connections                     (64)
`;

const total = 2_000_000_000;
const warmUpSeconds = 5;
/** How fast the machine is, and who else works on it, is no failure of an assign. */
const patience = {
  GATE_TIMEOUT_MS: '10000',
  PUBLISH_TIMEOUT_MS: '20000',
  ASSIGN_WAIT_MAX_MS: '10000',
};

/** Of one run. */
interface Reading {
  cpuPerThousand: number;
  perSecond: number;
}

interface Setting {
  label: string;
  stack: Stack;
  readings: Reading[];
}

await runInterruptible(usage, async (args, abort) => {
  const given = new Options(args, ['rounds', 'seconds', 'connections'] as const, usage);
  const plan = {
    rounds: given.wholeNumber('rounds', 9, 1, 1_000),
    seconds: given.wholeNumber('seconds', 3, 1, 3_600),
    connections: given.wholeNumber('connections', 64, 1, 4_096),
  };
  const report = createProgress();
  await ensureBuilt(report);
  const load = await findLoadGenerator();
  const { env } = await startServers('test', report, abort);
  const receiver = await startReceiver();
  const settings = settingsWith(env, receiver, abort);
  try {
    for (const { label, stack } of settings) {
      await report.step(`starting api, issuer, keeper: ${label}`, () => stack.start(appKinds));
    }
    await measure(settings, plan, load, report, abort);
  } finally {
    await report.step('stopping them', () =>
      Promise.all(settings.map(({ stack }) => stack.stop())),
    );
    receiver.close();
    await stopServers('test');
  }
  process.stdout.write(`\n${summary(settings)}`);
  return 0;
});

function settingsWith(
  servers: Record<string, string>,
  receiver: Server,
  abort: AbortSignal,
): Setting[] {
  const { port } = receiver.address() as AddressInfo;
  const on = { TRACES: 'on', OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  const few = { ...on, TRACES_SAMPLE_RATIO: '0.01' };
  const keeping = { TRACES_KEEP_ERRORS: 'true', TRACES_KEEP_SLOW_MS: '3600000' };
  const envs: [string, Record<string, string>][] = [
    ['off', {}],
    ['1 % sampled', few],
    ['1 %, keeping', { ...few, ...keeping }],
    ['all sampled', { ...on, TRACES_SAMPLE_RATIO: '1' }],
  ];
  return envs.map(([label, env], i) => ({
    label,
    stack: new Stack({
      servers,
      env: { ...patience, ...env },
      name: `tr${i}`,
      isSupervised: true,
      abort,
    }),
    readings: [],
  }));
}

async function measure(
  settings: Setting[],
  plan: { rounds: number; seconds: number; connections: number },
  load: LoadGenerator,
  report: Report,
  abort: AbortSignal,
): Promise<void> {
  for (const setting of settings) {
    await runOnce(setting, { ...plan, seconds: warmUpSeconds }, load, 'warm', abort);
  }
  for (let round = 1; round <= plan.rounds; round += 1) {
    // The first of a round is another one each time.
    for (let i = 0; i < settings.length; i += 1) {
      const setting = settings[(round + i) % settings.length]!;
      const reading = await runOnce(setting, plan, load, `r${round}`, abort);
      setting.readings.push(reading);
      const { cpuPerThousand, perSecond } = reading;
      report.line(
        `round ${round}  ${setting.label.padEnd(12)} ${cpuPerThousand.toFixed(3)} s  ${Math.round(perSecond)}/s`,
      );
    }
  }
}

/** Until everything that was taken is issued: what the issuer does for it counts too. */
async function runOnce(
  { stack }: Setting,
  { seconds, connections }: { seconds: number; connections: number },
  load: LoadGenerator,
  run: string,
  abort: AbortSignal,
): Promise<Reading> {
  const couponId = await stack.createCoupon(total);
  const used = (): number => stack.apps.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  const before = used();
  const url = `${stack.app('api').publicUrl}/api/v1/coupons/assign`;
  const { requests, failures } = await load.run(
    { url, couponId, run, connections, seconds },
    abort,
  );
  if (failures > 0) {
    throw new ReadableError(`${failures} requests failed: the figures count for nothing.`);
  }
  await drain(stack, couponId, total, requests);
  assertNeverDied(stack);
  return {
    cpuPerThousand: (1_000 * (used() - before)) / requests,
    perSecond: requests / seconds,
  };
}

/** Ratios are taken within a round, and only then their median: see `summarize` of summary.ts. */
function summary(settings: Setting[]): string {
  const [off] = settings;
  const rows = settings.map(({ label, readings }) => {
    const medianOf = (figure: keyof Reading): number =>
      median(readings.map((reading) => reading[figure]));
    const ratioOf = (figure: keyof Reading): string =>
      median(readings.map((reading, i) => reading[figure] / off!.readings[i]![figure])).toFixed(2);
    return [
      label,
      `${medianOf('cpuPerThousand').toFixed(3)} s`,
      ratioOf('cpuPerThousand'),
      String(Math.round(medianOf('perSecond'))),
      ratioOf('perSecond'),
    ];
  });
  return formatTable([['traces', 'CPU for 1 000', 'of off', 'requests/s', 'of off'], ...rows]);
}

/** Takes whatever comes, and keeps nothing. */
async function startReceiver(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
