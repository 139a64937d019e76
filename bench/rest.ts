import { setTimeout as delay } from 'node:timers/promises';
import { Stack } from '../infra/harness/stack.ts';
import { ensureBuilt } from '../infra/local/processes/build.ts';
import {
  serverPid,
  startServer,
  startServers,
  stopServer,
} from '../infra/local/servers/servers.ts';
import { stopServers } from '../infra/local/servers/servers.ts';
import { runInterruptible } from '../infra/local/terminal/command.ts';
import { Options } from '../infra/local/terminal/options.ts';
import { createProgress } from '../infra/local/terminal/progress.ts';
import type { Report } from '../infra/local/terminal/progress.ts';
import { formatTable } from '../infra/local/terminal/table.ts';
import { cpuSeconds } from './cpu.ts';
import type { Sizes } from './rest-stores.ts';
import { RestStores } from './rest-stores.ts';

const instance = 'test';
/** The share of MySQL, which is asked instead of Redis, is told, too. */
const watched = ['gate-redis', 'mysql'] as const;

const usage = `npm run bench:rest -- [options]

What coupons cost that have ended, while nobody asks for anything: scripts of Redis a second, CPU and
memory, and how long those that run are away after a restart of Redis. Measured while the ended ones
are live, and again once they are archived. Brings up what it needs on the servers of npm test.

  --ended N      coupons that have ended          (10000)
  --running N    coupons that run                 (10)
  --holders N    holders of each ended one        (10)
  --seconds N    how long each is watched         (20)
`;

const header = [
  'the ended ones are',
  'scripts/s',
  'Redis CPU',
  'keeper CPU',
  'api CPU',
  'MySQL CPU',
  'Redis memory',
  'keeper memory',
  'running ones open after',
  'all open after',
];

await runInterruptible(usage, async (args, abort) => {
  const given = new Options(args, ['ended', 'running', 'holders', 'seconds'], usage);
  const sizes = {
    ended: given.positive('ended', 10_000, 100_000),
    running: given.positive('running', 10, 1_000),
    holders: given.positive('holders', 10, 1_000),
    seconds: given.positive('seconds', 20, 600),
  };
  const report = createProgress();
  await ensureBuilt(report);
  const { env } = await startServers(instance, report, abort);
  const partitions = { KAFKA_REPLICATION_FACTOR: '1', KAFKA_MIN_INSYNC_REPLICAS: '1' };
  const never = { ARCHIVE_AFTER_H: '0' };
  const stack = new Stack({ servers: env, env: { ...partitions, ...never }, name: 'rest', abort });
  const stores = new RestStores(stack);
  try {
    await stack.start(['api', 'issuer']);
    await report.step(`planting ${sizes.ended + sizes.running} coupons`, () => stores.plant(sizes));
    await stack.startApp('keeper');
    await report.step('waiting until every gate is open', () =>
      stores.untilOpen(1, sizes.ended + sizes.running),
    );
    const rows = [await measure(stack, stores, sizes, 'ended', report)];
    if (await stores.canArchive()) {
      await report.step('archiving', () => archiveAll(stack, stores));
      rows.push(await measure(stack, stores, sizes, 'archived', report));
    }
    process.stdout.write(formatTable([header, ...rows]));
  } finally {
    await stores.close();
    await report.step('stopping', async () => {
      await stack.stop();
      await stopServers(instance);
    });
  }
  return 0;
});

async function archiveAll(stack: Stack, stores: RestStores): Promise<void> {
  await stack.app('keeper').stop();
  await stack.startApp('keeper', { ARCHIVE_AFTER_H: '0.0001' });
  await stores.untilArchived();
}

/** One line: at rest for some seconds, and then a restart of Redis. */
async function measure(
  stack: Stack,
  stores: RestStores,
  { ended, running, seconds }: Sizes,
  name: string,
  report: Report,
): Promise<string[]> {
  // What was done just now has its aftermath.
  await delay(10_000);
  const before = await reading(stack, stores);
  await report.step(`watching for ${seconds} s`, () => delay(seconds * 1_000));
  const after = await reading(stack, stores);
  const share = (of: string): string =>
    `${(((after.cpu[of]! - before.cpu[of]!) / seconds) * 100).toFixed(1)} %`;
  const firstRunning = ended + 1;
  await stopServer(instance, 'gate-redis');
  await startServer(instance, 'gate-redis');
  const restartedAt = performance.now();
  const since = (): string => `${((performance.now() - restartedAt) / 1_000).toFixed(1)} s`;
  await stores.untilOpen(firstRunning, ended + running);
  const runningOpen = since();
  await stores.untilOpen(name === 'archived' ? firstRunning : 1, ended + running);
  return [
    name,
    String(Math.round((after.scripts - before.scripts) / seconds)),
    share('gate-redis'),
    share('keeper'),
    share('api'),
    share('mysql'),
    `${(after.redisBytes / 2 ** 20).toFixed(0)} MB`,
    `${(after.keeperBytes / 2 ** 20).toFixed(0)} MB`,
    runningOpen,
    since(),
  ];
}

interface Reading {
  scripts: number;
  redisBytes: number;
  keeperBytes: number;
  /** In seconds since each was started. */
  cpu: Record<string, number>;
}

async function reading(stack: Stack, stores: RestStores): Promise<Reading> {
  const cpu: Record<string, number> = {};
  for (const name of watched) {
    cpu[name] = cpuSeconds(serverPid(instance, name)!);
  }
  const metrics = { keeper: '', api: '' };
  for (const kind of ['keeper', 'api'] as const) {
    metrics[kind] = await stack.app(kind).metrics();
    cpu[kind] = metricIn(metrics[kind], 'process_cpu_seconds_total');
  }
  const keeperBytes = metricIn(metrics.keeper, 'process_resident_memory_bytes');
  return { ...(await stores.gateFigures()), keeperBytes, cpu };
}

function metricIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}(?:\\{.*?\\})? (\\S+)`, 'm').exec(text)?.[1]);
}
