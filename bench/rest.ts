import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import { setTimeout as delay } from 'node:timers/promises';
import { Stack } from '../infra/harness/stack.ts';
import { ensureBuilt } from '../infra/local/processes/build.ts';
import { waitUntil } from '../infra/local/processes/waiting.ts';
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

const instance = 'test';
const openDeadlineMs = 600_000;
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

interface Sizes {
  ended: number;
  running: number;
  holders: number;
  seconds: number;
}

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
  const stores = new Stores(stack);
  try {
    await stack.start(['api', 'issuer']);
    await report.step(`planting ${sizes.ended + sizes.running} coupons`, () => stores.plant(sizes));
    await stack.startApp('keeper');
    await report.step('waiting until every gate is open', () => stores.untilOpen(sizes.ended + 1));
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

async function archiveAll(stack: Stack, stores: Stores): Promise<void> {
  await stack.app('keeper').stop();
  await stack.startApp('keeper', { ARCHIVE_AFTER_H: '0.0001' });
  await stores.untilArchived();
}

/** One line: at rest for some seconds, and then a restart of Redis. */
async function measure(
  stack: Stack,
  stores: Stores,
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

async function reading(stack: Stack, stores: Stores): Promise<Reading> {
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

/** What the bench does to the stores of the stack, and reads from them. */
class Stores {
  private readonly redis: Redis;
  private readonly pool: mysql.Pool;
  private readonly prefix: string;

  constructor(stack: Stack) {
    this.redis = new Redis(stack.env['GATE_REDIS_URL']!);
    this.redis.on('error', () => {});
    this.pool = mysql.createPool({ uri: stack.env['MYSQL_URL']!, connectionLimit: 2 });
    this.prefix = stack.env['GATE_KEY_PREFIX']!;
  }

  /** Those that have ended have ids from 1, those that run come behind them. */
  async plant({ ended, running, holders }: Sizes): Promise<void> {
    const rows = Array.from({ length: ended + running }, (_, i) => [
      i + 1,
      `coupon ${i + 1}`,
      1_000,
      i < ended ? holders : 0,
      i % 8,
      1,
      i < ended ? 'closed' : 'open',
      1,
      1,
    ]);
    for (let from = 0; from < rows.length; from += 1_000) {
      await this.pool.query(
        `INSERT INTO coupon
           (id, name, total, issued, kafka_partition, version, state, epoch, applied_epoch)
         VALUES ?`,
        [rows.slice(from, from + 1_000)],
      );
      const issued = rows.slice(from, from + 1_000).filter(([id]) => Number(id) <= ended);
      const issuances = issued.flatMap(([id]) =>
        Array.from({ length: holders }, (_, i) => [
          Buffer.from(
            `0190000000007000${(Number(id) * 1_000 + i).toString(16).padStart(16, '0')}`,
            'hex',
          ),
          id,
          Buffer.from(`customer-${i}`),
          1,
          1_764_000_000_000,
        ]),
      );
      if (issuances.length > 0) {
        await this.pool.query(
          'INSERT INTO issuance (id, coupon_id, user_id, epoch, issued_at) VALUES ?',
          [issuances],
        );
      }
    }
  }

  /** Whether this version archives coupons. */
  async canArchive(): Promise<boolean> {
    const [columns] = await this.pool.query("SHOW COLUMNS FROM coupon LIKE 'archived_at'");
    return (columns as unknown[]).length > 0;
  }

  /** Every gate from `first` to `last` was opened on this run of Redis. */
  untilOpen(first: number, last = first): Promise<true> {
    return waitUntil(async () => ((await this.areOpen(first, last)) ? true : undefined), {
      deadlineMs: openDeadlineMs,
      failure: () => 'The gates do not open.',
    });
  }

  async untilArchived(): Promise<true> {
    return waitUntil(
      async () => {
        const [rows] = await this.pool.query(
          "SELECT COUNT(*) AS live FROM coupon WHERE archived_at IS NULL AND state = 'closed'",
        );
        return (rows as { live: number }[])[0]!.live === 0 ? true : undefined;
      },
      { deadlineMs: openDeadlineMs, failure: () => 'They are not archived.' },
    );
  }

  async gateFigures(): Promise<{ scripts: number; redisBytes: number }> {
    const stats = await this.redis.info('commandstats');
    const calls = [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)];
    const memory = /^used_memory:(\d+)/m.exec(await this.redis.info('memory'));
    return {
      scripts: calls.reduce((sum, [, count]) => sum + Number(count), 0),
      redisBytes: Number(memory?.[1]),
    };
  }

  async close(): Promise<void> {
    this.redis.disconnect();
    await this.pool.end();
  }

  private async areOpen(first: number, last: number): Promise<boolean> {
    try {
      const runId = /^run_id:(\w+)/m.exec(await this.redis.info('server'))?.[1];
      const pipeline = this.redis.pipeline();
      for (let id = first; id <= last; id += 1) {
        pipeline.hmget(`${this.prefix}{coupon:${id}}:meta`, 'run_id', 'epoch', 'min_epoch');
      }
      const replies = (await pipeline.exec()) ?? [];
      return replies.every(([, fields]) => {
        const [openedOn, epoch, minEpoch] = fields as (string | null)[];
        return openedOn === runId && Number(epoch) >= Number(minEpoch);
      });
    } catch {
      return false;
    }
  }
}
