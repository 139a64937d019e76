import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import type { AppKind } from '../../infra/local/processes/apps.ts';
import { dataDir } from '../../infra/local/processes/paths.ts';
import type { Instance, ServerName } from '../../infra/local/processes/paths.ts';
import { isSameProcess, waitUntil } from '../../infra/local/processes/process.ts';
import { isRunning, readRunFile } from '../../infra/local/processes/run-files.ts';
import { startServer, stopServer } from '../../infra/local/servers/servers.ts';
import type { ChaosStack } from './chaos-stack.ts';
import type { Fault, FaultKind } from './fault-plan.ts';

/** What faults are done to. */
export interface Victim {
  instance: Instance;
  stack: ChaosStack;
  env: Record<string, string>;
  coupons: { changing: number; small: number };
  abort: AbortSignal;
}

type Inject = (victim: Victim, fault: Fault) => Promise<void>;

const deathDeadlineMs = 20_000;
const totalStep = 1_000;

/** Each resolves when what it broke has been repaired, also when it is aborted half-way. */
export const injections: Record<FaultKind, Inject> = {
  'api killed': killApp('api'),
  'issuer killed': killApp('issuer'),
  'keeper killed': killApp('keeper'),
  'api frozen': freezeApp('api'),
  'issuer frozen': freezeApp('issuer'),
  'keeper frozen': freezeApp('keeper'),
  'gate Redis killed': killServer('gate-redis'),
  'gate emptied': ({ env }) => deleteKeys(env['GATE_REDIS_URL']!, env['GATE_KEY_PREFIX']!),
  'gate rolled back': rollBackGate,
  'broker killed': killServer('kafka'),
  'broker frozen': freezeServer('kafka'),
  'MySQL killed': killServer('mysql'),
  'MySQL frozen': freezeServer('mysql'),
  'garbage in the log': writeGarbage,
  'coupon paused': pauseCoupon,
  'total raised': ({ stack, coupons }) => changeTotal(stack, coupons.small, totalStep),
  'total lowered': ({ stack, coupons }) => changeTotal(stack, coupons.changing, -totalStep),
  'job store wiped': ({ env }) => deleteKeys(env['JOBS_REDIS_URL']!, env['GATE_KEY_PREFIX']!),
};

/** The server whose process a fault needs to get hold of. */
const serverOf: Partial<Record<FaultKind, ServerName>> = {
  'gate Redis killed': 'gate-redis',
  'gate rolled back': 'gate-redis',
  'broker killed': 'kafka',
  'broker frozen': 'kafka',
  'MySQL killed': 'mysql',
  'MySQL frozen': 'mysql',
};

/** Why a kind of fault cannot be injected here; nothing when it can. */
export function obstacle(kind: FaultKind, instance: Instance): string | undefined {
  const server = serverOf[kind];
  const run = server === undefined ? undefined : readRunFile(instance, server);
  return server === undefined || (run !== undefined && isRunning(run))
    ? undefined
    : `${server} is not a process that was started here`;
}

function killApp(kind: AppKind): Inject {
  return async ({ stack }, { which }) => {
    const run = stack.process(kind, which);
    if (run !== undefined) {
      process.kill(run.pid, 'SIGKILL');
      await untilDead(run.pid, run.startedAt);
    }
  };
}

/** Until then it may still say that it is ready. */
function untilDead(pid: number, startedAt: string): Promise<true> {
  return waitUntil(() => (isSameProcess(pid, startedAt) ? undefined : true), {
    deadlineMs: deathDeadlineMs,
    intervalMs: 10,
    failure: () => `Process ${pid} survives SIGKILL.`,
  });
}

function freezeApp(kind: AppKind): Inject {
  return async ({ stack, abort }, { which, seconds }) => {
    const run = stack.process(kind, which);
    if (run !== undefined) {
      await freeze(run, seconds, abort);
    }
  };
}

function freezeServer(name: ServerName): Inject {
  return async ({ instance, abort }, { seconds }) => {
    await freeze(readRunFile(instance, name)!, seconds, abort);
  };
}

async function freeze(
  { pid, startedAt }: { pid: number; startedAt: string },
  seconds: number,
  abort: AbortSignal,
): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  try {
    await sleep(seconds * 1_000, undefined, { signal: abort });
  } finally {
    if (isSameProcess(pid, startedAt)) {
      process.kill(pid, 'SIGCONT');
    }
  }
}

function killServer(name: ServerName): Inject {
  return async ({ instance, abort }, { seconds }) => {
    await stopServer(instance, name, 'SIGKILL');
    try {
      await sleep(seconds * 1_000, undefined, { signal: abort });
    } finally {
      await startServer(instance, name);
    }
  };
}

/** Redis comes back with what it had on disk some seconds before it was killed. */
async function rollBackGate({ instance, env, abort }: Victim, { seconds }: Fault): Promise<void> {
  const log = join(dataDir(instance, 'gate-redis'), 'appendonlydir');
  const older = `${log}.older`;
  try {
    await endRewrites(env['GATE_REDIS_URL']!);
    cpSync(log, older, { recursive: true });
    await sleep(seconds * 1_000, undefined, { signal: abort });
    await stopServer(instance, 'gate-redis', 'SIGKILL');
    rmSync(log, { recursive: true });
    cpSync(older, log, { recursive: true });
  } finally {
    rmSync(older, { recursive: true, force: true });
    await startServer(instance, 'gate-redis');
  }
}

/** Until it is started anew Redis only appends to its log: no file goes away while it is copied. */
async function endRewrites(url: string): Promise<void> {
  const redis = new Redis(url);
  try {
    await redis.config('SET', 'auto-aof-rewrite-percentage', '0');
  } finally {
    redis.disconnect();
  }
}

async function deleteKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
      if ((keys as string[]).length > 0) {
        await redis.unlink(...(keys as string[]));
      }
    }
  } finally {
    redis.disconnect();
  }
}

async function writeGarbage({ env }: Victim, { which }: Fault): Promise<void> {
  const brokers = env['KAFKA_BROKERS']!.split(',');
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  const partition = which % Number(env['KAFKA_PARTITIONS']);
  const values = [Buffer.from([0x00, 0xff]), 'not JSON', '{"v":1,"type":"unknown"}', '[]', null];
  await producer.send({
    topic: `${env['KAFKA_TOPIC_PREFIX']}coupon.issuance.requested`,
    messages: values.map((value) => ({ partition, key: 'garbage', value })),
  });
  await producer.disconnect();
}

async function pauseCoupon(victim: Victim, { seconds }: Fault): Promise<void> {
  const { stack, coupons, abort } = victim;
  const id = String(coupons.changing);
  await stack.firstcome('coupon', 'pause', id);
  try {
    await sleep(seconds * 1_000, undefined, { signal: abort });
  } finally {
    await stack.firstcome('coupon', 'resume', id);
  }
}

async function changeTotal(stack: ChaosStack, couponId: number, by: number): Promise<void> {
  const coupon = await stack.firstcome('coupon', 'show', String(couponId), '--json');
  const { total } = JSON.parse(coupon) as { total: number };
  await stack.firstcome('coupon', 'set-total', String(couponId), String(total + by));
}
