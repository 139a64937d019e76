import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { ConfigResourceTypes } from '#event-log/kafkajs.ts';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { topicNames } from '#event-log/topics.ts';
import { statusHintsKey } from '#gate/keys.ts';
import type { FailureCause, FailureCode } from '#platform/failures/failure.ts';
import { failureCauses } from '#platform/failures/failure.ts';
import { ask, assign } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { OwnProcess } from '../../infra/local/processes/own-process.ts';
import { standsStill } from '../../infra/local/processes/freeze.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { anIssuanceId } from '../harness/fixtures.ts';
import { failureLines } from '../harness/log-lines.ts';
import { parseMetrics } from '../harness/metrics-text.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';

const nobody = { host: '127.0.0.1', port: 1 };
const inFlightMax = 20;
const readsMax = 5;
/** More than any of the limits above, and than documents are sent at once. */
const crowd = 30;
const unknownCoupon = 999_999_999;

let stack: Stack;
let stores: StackStores;
let redis: TcpProxy;
let mysql: TcpProxy;
/** Its ways to Redis and MySQL can be broken. */
let api: App;
/** It has never reached Kafka or MySQL. */
let alone: App;
let couponId: number;
const sockets: Socket[] = [];
let users = 0;

beforeAll(async () => {
  // No keeper: nobody opens again what is shut.
  stack = await prepareStack({ GATE_TIMEOUT_MS: '3000', ASSIGN_WAIT_MAX_MS: '400' });
  stores = await StackStores.connect(stack);
  const { GATE_REDIS_URL: redisUrl, MYSQL_URL: mysqlUrl } = stack.env;
  redis = await TcpProxy.before(redisUrl!);
  mysql = await TcpProxy.before(mysqlUrl!);
  couponId = await stack.createCoupon(1_000_000);
  [api, alone] = await Promise.all([
    stack.startApp('api', {
      GATE_REDIS_URL: redis.through(redisUrl!),
      MYSQL_URL: mysql.through(mysqlUrl!),
      ASSIGN_IN_FLIGHT_MAX: String(inFlightMax),
      READ_IN_FLIGHT_MAX: String(readsMax),
    }),
    stack.startApp(
      'api',
      {
        KAFKA_BROKERS: '127.0.0.1:1',
        MYSQL_URL: 'mysql://root@127.0.0.1:1/none',
        PUBLISH_TIMEOUT_MS: '1000',
      },
      { waitUntilReady: false },
    ),
  ]);
  await eventually(async () => (await ask(alone, '/health/live')).status === 200);
});
afterEach(async () => {
  sockets.splice(0).forEach((socket) => socket.destroy());
  redis.release();
  mysql.release();
  await eventually(async () => (await assignOf(couponId)).status === 200);
});
afterAll(async () => {
  await stack?.stop();
  await stores?.close();
  await redis?.close();
  await mysql?.close();
});

function assignOf(coupon: number, to = api, given: Parameters<typeof assign>[2] = {}) {
  users += 1;
  return assign(to, { couponId: coupon, userId: `user-${users}` }, given);
}

const walletOf = (userId: string) => ask(api, `/api/v1/users/${userId}/coupons`);

const redeemAny = () => ask(api, `/api/v1/issuances/${anIssuanceId()}/redeem`, { method: 'POST' });

const many = (work: () => Promise<unknown>): Promise<unknown> =>
  Promise.allSettled(Array.from({ length: crowd }, work));

/** Clients that ask for a document and do not read it; more than buffers hold. */
async function readSlowly(): Promise<void> {
  const { hostname, port } = new URL(api.publicUrl);
  for (let i = 0; i < crowd; i += 1) {
    const socket = connect(Number(port), hostname).pause();
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    const request = `GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`;
    socket.write(request.repeat(4));
  }
}

/** The gate of a coupon is shut while an api stands still between the log and confirm. */
async function fenceBeforeConfirm(): Promise<App> {
  const fenced = await stack.createCoupon(10);
  const still = await stack.startApp(
    'api',
    { FAULT_POINT: 'api.published', FAULT_SIGNAL: 'SIGSTOP' },
    { isApart: true },
  );
  const answer = assignOf(fenced, still);
  await eventually(() => standsStill(still.pid));
  await stores.gate.fence(fenced, (await stores.epochOf(fenced)) + 1);
  still.signal('SIGCONT');
  expect((await answer).body.code).toBe('RECOVERING');
  return still;
}

/** Records that are longer are refused by the broker. */
async function limitRecords(bytes: string | undefined): Promise<void> {
  const admin = stack.space.kafka().admin();
  await admin.connect();
  const { requested: name } = topicNames(stack.env['KAFKA_TOPIC_PREFIX']!);
  const configEntries = bytes === undefined ? [] : [{ name: 'max.message.bytes', value: bytes }];
  const resources = [{ type: ConfigResourceTypes.TOPIC, name, configEntries }];
  await admin.alterConfigs({ validateOnly: false, resources });
  await admin.disconnect();
}

const holdRedis = (): void => redis.hold();
const holdMysql = (): void => mysql.hold();

function placeOf(setting: 'GATE_REDIS_URL' | 'MYSQL_URL'): { host: string; port: number } {
  const { hostname, port } = new URL(stack.env[setting]!);
  return { host: hostname, port: Number(port) };
}

async function byAlone(asked: Promise<unknown>): Promise<App> {
  await asked;
  return alone;
}

async function countOf(by: App, code: FailureCode, cause: string): Promise<number> {
  const family = parseMetrics(await by.metrics()).get('firstcome_failures_total');
  const series = family?.series.find(
    ({ labels }) => labels['code'] === code && labels['cause'] === cause,
  );
  return series?.value ?? 0;
}

interface Fault {
  code: FailureCode;
  breaks?: () => unknown;
  /** Done again until it is counted; says by whom, where that is not the `api`. */
  meet: () => Promise<unknown>;
  mends?: () => unknown;
}

/** They need a server of their own, or identity on: store-refuses.outage, log-replies.faults, identity.e2e. */
type MetElsewhere = 'redis_refuses_writes' | 'log_timeout' | 'key_set_unread' | 'api_keys_unread';

/** In an order: what is cut off comes last. */
const faults: Record<Exclude<FailureCause, MetElsewhere>, Fault> = {
  gate_shut: {
    code: 'RECOVERING',
    meet: async () => {
      const shut = await stack.createCoupon(10);
      await stores.gate.fence(shut, (await stores.epochOf(shut)) + 1);
      await assignOf(shut);
    },
  },
  gate_fenced: { code: 'RECOVERING', meet: fenceBeforeConfirm },
  // A trip for each, until all are taken and the next one waits in vain.
  gate_lane: {
    code: 'OVERLOADED',
    breaks: holdRedis,
    meet: async () => void assignOf(couponId).catch(() => {}),
  },
  redis_timeout: { code: 'RECOVERING', breaks: holdRedis, meet: () => assignOf(couponId) },
  assign_shed: {
    code: 'OVERLOADED',
    breaks: holdRedis,
    meet: () => many(() => assignOf(couponId)),
  },
  // Whoever goes leaves his place, and what was begun for him goes on.
  assigns_in_flight: {
    code: 'OVERLOADED',
    breaks: holdRedis,
    meet: async () => {
      const leaving = new AbortController();
      const before = await countOf(api, 'OVERLOADED', 'assign_shed');
      const left = many(() => assignOf(couponId, api, { signal: leaving.signal }));
      // All places are taken once somebody is sent away.
      await eventually(async () => (await countOf(api, 'OVERLOADED', 'assign_shed')) > before);
      leaving.abort();
      await left;
      await assignOf(couponId);
    },
  },
  log_refuses: {
    code: 'UNCONFIRMED',
    breaks: () => limitRecords('10'),
    meet: () => assignOf(couponId),
    mends: () => limitRecords(undefined),
  },
  unexpected: {
    code: 'HINT_LOST',
    meet: async () => {
      const { issuance_id: id } = (await assignOf(couponId)).body as { issuance_id: string };
      await stores.redis.set(statusHintsKey(stack.env['GATE_KEY_PREFIX']!, id), 'no hash');
      await ask(api, `/api/v1/issuances/${id}`);
    },
  },
  read_shed: { code: 'OVERLOADED', breaks: holdMysql, meet: () => many(() => walletOf('any')) },
  redemption_shed: {
    code: 'OVERLOADED',
    breaks: holdMysql,
    meet: () => many(redeemAny),
  },
  ledger_lane: {
    code: 'OVERLOADED',
    breaks: holdMysql,
    meet: () => ask(api, `/api/v1/coupons/${unknownCoupon}`),
  },
  document_shed: { code: 'OVERLOADED', meet: readSlowly },
  ledger_refuses: {
    code: 'UNAVAILABLE',
    breaks: () => stores.query('RENAME TABLE issuance TO issuance_away'),
    meet: () => walletOf('any'),
    mends: () => stores.query('RENAME TABLE issuance_away TO issuance'),
  },
  ledger_away: {
    code: 'UNAVAILABLE',
    breaks: () => mysql.leadTo(nobody),
    meet: () => walletOf('any'),
    mends: () => mysql.leadTo(placeOf('MYSQL_URL')),
  },
  redis_away: {
    code: 'RECOVERING',
    breaks: () => redis.leadTo(nobody),
    meet: () => assignOf(couponId),
    mends: () => redis.leadTo(placeOf('GATE_REDIS_URL')),
  },
  log_away: { code: 'UNCONFIRMED', meet: () => byAlone(assignOf(couponId, alone)) },
  log_lane: {
    code: 'UNCONFIRMED',
    meet: () => byAlone(many(() => assignOf(couponId, alone))),
  },
  catalogue_unread: {
    code: 'RECOVERING',
    meet: () => byAlone(ask(alone, `/api/v1/coupons/${couponId}`)),
  },
};

test.each(Object.entries(faults))('%s: it is counted, and told in a line', async (cause, fault) => {
  const { code, breaks, meet, mends } = fault;
  await breaks?.();
  try {
    const by = await eventually(async () => {
      const met = await meet();
      const counting = met instanceof OwnProcess ? met : api;
      return (await countOf(counting, code, cause)) > 0 ? counting : undefined;
    });
    await expect
      .poll(() => failureLines(by.output, code).map(({ message }) => message))
      .toContainEqual(
        expect.stringContaining(`${code}: ${failureCauses[cause as FailureCause]}`) as string,
      );
    const line = failureLines(by.output, code).find(
      ({ firstcome }) => firstcome!['cause'] === cause,
    );
    expect(line).toMatchObject({ 'log.level': 'warn' });
    // Who is sent away before he is heard has no id, and HINT_LOST is no answer.
    const isAnswer = !cause.endsWith('_shed') && code !== 'HINT_LOST';
    expect('http.request.id' in line!).toBe(isAnswer);
  } finally {
    await mends?.();
  }
});

test('a status that Redis cannot tell is asked of MySQL, and HINT_LOST says so', async () => {
  const { body } = await assignOf(couponId);
  redis.leadTo(nobody);
  await eventually(async () => {
    await ask(api, body.status_url as string);
    return (await countOf(api, 'HINT_LOST', 'redis_away')) > 0;
  });
  expect(failureLines(api.output, 'HINT_LOST')).toContainEqual(
    expect.objectContaining({
      firstcome: expect.objectContaining({ issuance_id: body.issuance_id }) as object,
    }),
  );
  redis.leadTo(placeOf('GATE_REDIS_URL'));
});
