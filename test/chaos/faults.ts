import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { topicNames } from '#event-log/topics.ts';
import type { AnswerJournal } from '../../infra/harness/answer-journal.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import type { App, AppKind } from '../../infra/local/processes/apps.ts';
import { dataDir } from '../../infra/local/processes/paths.ts';
import type { Instance, ServerName } from '../../infra/local/processes/paths.ts';
import { signalIfAlive } from '../../infra/local/processes/process.ts';
import { isRunning, readRunFile } from '../../infra/local/processes/run-files.ts';
import { startServer, stopServer } from '../../infra/local/servers/servers.ts';
import type { Fault, FaultKind } from './fault-plan.ts';

/** What faults are done to. */
export interface Victim {
  instance: Instance;
  stack: Stack;
  /** Keeps what is made of the coupons. */
  journal: AnswerJournal;
  coupons: { changing: number; small: number };
  abort: AbortSignal;
}

type Inject = (victim: Victim, fault: Fault) => Promise<void>;

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
  'gate emptied': ({ stack }) => stack.space.emptyGate(),
  'gate rolled back': rollBackGate,
  'broker killed': killServer('kafka'),
  'broker frozen': freezeServer('kafka'),
  'MySQL killed': killServer('mysql'),
  'MySQL frozen': freezeServer('mysql'),
  'garbage in the log': writeGarbage,
  'coupon paused': pauseCoupon,
  'total raised': (victim) => changeTotal(victim, victim.coupons.small, totalStep),
  'total lowered': (victim) => changeTotal(victim, victim.coupons.changing, -totalStep),
  'job store wiped': ({ stack }) => stack.space.emptyJobs(),
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

/** One of the processes of a kind, as it runs now; nothing while it is dead. */
function runningApp({ apps }: Stack, kind: AppKind, which: number): App | undefined {
  const ofKind = apps.filter(({ plan }) => plan.kind === kind);
  const app = ofKind[which % ofKind.length]!;
  return app.isRunning ? app : undefined;
}

function killApp(kind: AppKind): Inject {
  // Until it has ended it may still say that it is ready.
  return async ({ stack }, { which }) => runningApp(stack, kind, which)?.kill();
}

function freezeApp(kind: AppKind): Inject {
  return async ({ stack, abort }, { which, seconds }) => {
    const app = runningApp(stack, kind, which);
    if (app !== undefined) {
      await freeze((signal) => app.signal(signal), seconds, abort);
    }
  };
}

function freezeServer(name: ServerName): Inject {
  return async ({ instance, abort }, { seconds }) => {
    const { pid, startedAt } = readRunFile(instance, name)!;
    await freeze((signal) => signalIfAlive(pid, startedAt, signal), seconds, abort);
  };
}

async function freeze(
  send: (signal: NodeJS.Signals) => void,
  seconds: number,
  abort: AbortSignal,
): Promise<void> {
  send('SIGSTOP');
  try {
    await sleep(seconds * 1_000, undefined, { signal: abort });
  } finally {
    send('SIGCONT');
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
async function rollBackGate({ instance, stack, abort }: Victim, { seconds }: Fault): Promise<void> {
  const log = join(dataDir(instance, 'gate-redis'), 'appendonlydir');
  const older = `${log}.older`;
  try {
    await endRewrites(stack.env['GATE_REDIS_URL']!);
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

async function writeGarbage({ stack }: Victim, { which }: Fault): Promise<void> {
  const producer = stack.space.kafka().producer();
  await producer.connect();
  const partition = which % Number(stack.env['KAFKA_PARTITIONS']);
  const values = [Buffer.from([0x00, 0xff]), 'not JSON', '{"v":1,"type":"unknown"}', '[]', null];
  await producer.send({
    topic: topicNames(`${stack.name}.`).requested,
    messages: values.map((value) => ({ partition, key: 'garbage', value })),
  });
  await producer.disconnect();
}

async function pauseCoupon(victim: Victim, { seconds }: Fault): Promise<void> {
  const { stack, journal, coupons, abort } = victim;
  const id = coupons.changing;
  const make = (command: 'pause' | 'resume') => (): Promise<string> =>
    stack.firstcomeOrThrow('coupon', command, String(id));
  await journal.changing(id, { state: 'paused' }, make('pause'));
  try {
    await sleep(seconds * 1_000, undefined, { signal: abort });
  } finally {
    await journal.changing(id, { state: 'open' }, make('resume'));
  }
}

async function changeTotal(
  { stack, journal }: Victim,
  couponId: number,
  by: number,
): Promise<void> {
  const coupon = await stack.firstcomeOrThrow('coupon', 'show', String(couponId), '--json');
  const total = (JSON.parse(coupon) as { total: number }).total + by;
  await journal.changing(couponId, { total }, () =>
    stack.firstcomeOrThrow('coupon', 'set-total', String(couponId), String(total)),
  );
}
