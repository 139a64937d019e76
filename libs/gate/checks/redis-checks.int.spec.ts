import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { testConfig, uniqueName } from '../../../test/harness/test-config.ts';
import { GateConnection } from '../gate-connection.ts';
import { redisChecks, redisPromises } from './redis-checks.ts';

const { GATE_REDIS_URL: url } = testConfig();
const raw = new Redis(url);
const user = uniqueName();
const prefix = `${user}:`;
const opened: GateConnection[] = [];

beforeAll(() => raw.ping());
/** A user of ours who may do everything with our keys. */
beforeEach(() => raw.acl('SETUSER', user, 'reset', 'on', '>secret', `~${prefix}*`, '+@all'));
afterEach(() => opened.splice(0).forEach((connection) => connection.close()));
afterAll(async () => {
  await raw.acl('DELUSER', user);
  raw.disconnect();
});

function connect(to: string): GateConnection {
  const connection = new GateConnection(
    testConfig({ GATE_REDIS_URL: to, GATE_KEY_PREFIX: prefix, GATE_TIMEOUT_MS: '10000' }),
  );
  opened.push(connection);
  return connection;
}

async function connectAsUser(...taken: string[]): Promise<GateConnection> {
  await raw.acl('SETUSER', user, ...taken);
  const address = new URL(url);
  Object.assign(address, { username: user, password: 'secret' });
  const connection = connect(address.toString());
  await connection.connected();
  return connection;
}

test('asks all there is of a Redis that is well, and leaves nothing there', async () => {
  const connection = await connectAsUser();
  const found = await redisChecks(connection, 'redis.gate')();
  const names = ['writes', 'role', 'saves', 'rights', 'version', 'eviction', 'latency', 'clock'];
  expect(found.map(({ name }) => name)).toEqual(names.map((name) => `redis.gate.${name}`));
  expect(found.find(({ name }) => name === 'redis.gate.writes')).toEqual({
    name: 'redis.gate.writes',
    verdict: 'ok',
    message: 'it answers and takes writes',
  });
  expect(found.find(({ name }) => name === 'redis.gate.rights')).toEqual({
    name: 'redis.gate.rights',
    verdict: 'ok',
    message: 'our user may do all that is needed',
  });
  // By the same clock here: both are of this machine.
  expect(Math.abs(found.at(-1)!.clockAheadMs!)).toBeLessThan(60_000);
  expect(await raw.keys(`${prefix}*`)).toEqual([]);
});

test('of the promises it asks in one question', async () => {
  const found = await redisPromises(await connectAsUser(), 'redis.jobs')();
  expect(found.map(({ name }) => name)).toEqual(['redis.jobs.version', 'redis.jobs.eviction']);
});

test('names each right that our user lacks, and how to give it', async () => {
  const connection = await connectAsUser('-scan', '-zscore');
  const found = await redisChecks(connection, 'redis.gate')();
  expect(found.find(({ name }) => name === 'redis.gate.rights')).toEqual({
    name: 'redis.gate.rights',
    verdict: 'promise_void',
    message: 'our user may not: zscore, scan',
    why: expect.any(String) as string,
    remedy: `ACL SETUSER … ~${prefix}* +zscore +scan`,
  });
});

test('says of a user who may not touch our keys that it is the keys, once', async () => {
  const connection = await connectAsUser('resetkeys', '~other*');
  const found = await redisChecks(connection, 'redis.gate')();
  expect(found.find(({ name }) => name === 'redis.gate.rights')?.message).toBe(
    `our user may not: keys ${prefix}*`,
  );
});

test('says that a Redis which refuses writes admits nobody new', async () => {
  const connection = await connectAsUser('-hset');
  const found = await redisChecks(connection, 'redis.gate')();
  expect(found[0]).toEqual({
    name: 'redis.gate.writes',
    verdict: 'promise_void',
    message: expect.stringMatching(/^the gate Redis does not let our user .*: hset\)$/) as string,
    why: expect.stringContaining('503 UNAVAILABLE') as string,
  });
});

test('says of a Redis that is not there only that', async () => {
  const found = await redisChecks(connect('redis://127.0.0.1:1'), 'redis.gate')();
  expect(found).toEqual([
    {
      name: 'redis.gate.reachable',
      verdict: 'away',
      message: expect.stringMatching(/^the gate Redis is not reachable/) as string,
      remedy: 'start the gate Redis, or set GATE_REDIS_URL',
    },
  ]);
});
