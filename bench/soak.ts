import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Stack } from '../infra/harness/stack.ts';
import { appKinds } from '../infra/local/processes/apps.ts';
import { ensureBuilt } from '../infra/local/processes/build.ts';
import { runInterruptible } from '../infra/local/terminal/command.ts';
import { createProgress } from '../infra/local/terminal/progress.ts';
import type { Report } from '../infra/local/terminal/progress.ts';
import { ReadableError } from '../infra/local/terminal/readable-error.ts';
import { startServers, stopServers } from '../infra/local/servers/servers.ts';
import { runAutocannon } from './load.ts';
import { describeMachine } from './machine.ts';
import { assertNeverDied, drain, memory, outcomes } from './readings.ts';
import { parseSoakOptions, usage } from './soak-options.ts';
import type { SoakOptions } from './soak-options.ts';
import { formatVerdicts, judgeMemory } from './soak-report.ts';
import type { MemorySeries } from './soak-report.ts';

const instance = 'test';
/** More than any soak can take. */
const total = 2_000_000_000;
const connections = 64;
/** Readings in all: each is a request for the metrics of every process. */
const readings = 100;

await runInterruptible(usage, (args, abort) =>
  soak(parseSoakOptions(args), createProgress(), abort),
);

async function soak(options: SoakOptions, report: Report, abort: AbortSignal): Promise<number> {
  const loadBefore = os.loadavg();
  await ensureBuilt(report);
  const { env, servers } = await startServers(instance, report, abort);
  const stack = new Stack({ servers: env, name: 'bench', isSupervised: true, abort });
  try {
    await report.step('starting api, issuer and keeper', () => stack.start(appKinds));
    const series = await watch(stack, options, report, abort);
    const verdicts = series.map((one) => judgeMemory(one, options));
    const machine = describeMachine(loadBefore, servers, 'autocannon');
    const document = { measuredAt: new Date().toISOString(), machine, options, verdicts, series };
    mkdirSync(dirname(options.jsonFile), { recursive: true });
    writeFileSync(options.jsonFile, `${JSON.stringify(document, null, 2)}\n`);
    process.stdout.write(`Every figure: ${options.jsonFile}\n\n${formatVerdicts(verdicts)}`);
    return verdicts.every(({ isWithinLimits }) => isWithinLimits) ? 0 : 1;
  } finally {
    await report.step('stopping everything', async () => {
      await stack.stop();
      await stopServers(instance);
    });
  }
}

/** Throws when a process dies or an assign fails: such figures count for nothing. */
async function watch(
  stack: Stack,
  { minutes, rate }: SoakOptions,
  report: Report,
  abort: AbortSignal,
): Promise<MemorySeries[]> {
  const couponId = await stack.createCoupon(total);
  const seconds = minutes * 60;
  const url = `${stack.app('api').publicUrl}/api/v1/coupons/assign`;
  const load = runAutocannon({ url, couponId, run: 'soak', connections, seconds, rate }, abort);
  const series = new Map<string, number[]>();
  for (let reading = 1; reading <= readings; reading += 1) {
    await delay((seconds * 1_000) / readings, undefined, { signal: abort });
    const resident = await memory(stack);
    resident.forEach((bytes, name) => series.set(name, [...(series.get(name) ?? []), bytes]));
    if (reading % (readings / 10) === 0) {
      const megabytes = [...resident].map(
        ([name, bytes]) => `${name} ${Math.round(bytes / 2 ** 20)}`,
      );
      report.line(`${reading} % of ${minutes} min: ${megabytes.join(', ')} MB`);
    }
  }
  const { requests, failures } = await load;
  assertNeverDied(stack);
  if (failures > 0) {
    throw new ReadableError(`${failures} of ${requests} assigns failed: ${await outcomes(stack)}`);
  }
  await drain(stack, couponId, total, requests);
  report.line(`${requests} assigns, all issued`);
  return [...series].map(([name, bytes]) => ({ process: name, bytes }));
}
