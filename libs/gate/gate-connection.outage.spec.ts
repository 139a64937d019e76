import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { OwnServer } from '../../test/harness/servers/own-server.ts';
import { TcpProxy } from '../../test/harness/servers/tcp-proxy.ts';
import { testConfig, uniqueName } from '../../test/harness/test-config.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { Gate } from './gate.ts';
import { GateConnection } from './gate-connection.ts';

const here = new TestGate();
const server = new OwnServer('gate-redis');
const opened: GateConnection[] = [];

function connect(given: Parameters<typeof testConfig>[0] = {}): GateConnection {
  const connection = new GateConnection(testConfig(given));
  opened.push(connection);
  return connection;
}

beforeAll(() => here.start());
afterEach(async () => {
  await server.start();
  opened.splice(0).forEach((connection) => connection.close());
});
afterAll(() => here.close());

test('a command while Redis is away fails at once, and is not run when Redis is back', async (context) => {
  server.require(context);
  const { id } = await here.openCoupon();
  await server.stop();
  await vi.waitFor(() => expect(here.connection.redis.status).not.toBe('ready'), 15_000);

  const startedAt = performance.now();
  await expect(here.gate.reserve(id, ['ann'])).rejects.toThrow();
  await expect(here.gate.inspect(id)).rejects.toThrow();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(await here.connection.problem()).toContain('the gate Redis is not reachable');

  await server.start();
  await here.connection.connected(20_000);
  expect(await here.connection.problem()).toBeUndefined();
  expect(await here.gate.inspect(id)).toMatchObject({ holders: 0, pending: 0, left: 10 });
});

test('a command that was under way when Redis went away fails, and is not sent again', async () => {
  const { id } = await here.openCoupon();
  const connection = connect({ GATE_TIMEOUT_MS: '10000' });
  await connection.connected();
  const clientId = await connection.redis.client('ID');
  // Scripts that write wait meanwhile; to cut the connection then is to lose the command.
  await here.raw.client('PAUSE', 10_000, 'WRITE');
  try {
    const reserving = new Gate(connection, here.prefix).reserve(id, ['ann']);
    const outcome = reserving.then(
      () => 'answered',
      () => 'failed',
    );
    await vi.waitFor(
      async () =>
        expect(await here.raw.client('LIST', 'ID', clientId)).toMatch(/flags=b.*cmd=eval/),
      5_000,
    );
    await here.raw.client('KILL', 'ID', clientId);
    expect(await outcome).toBe('failed');
    await connection.connected();
  } finally {
    await here.raw.client('UNPAUSE');
  }
  await connection.redis.ping();
  expect(await here.gate.inspect(id)).toMatchObject({ holders: 0, pending: 0, left: 10 });
});

test('a connection is not ended for the silence of the one before it', async () => {
  const { GATE_REDIS_URL: url } = testConfig();
  const proxy = await TcpProxy.before(url);
  const connection = connect({ GATE_REDIS_URL: proxy.through(url), GATE_TIMEOUT_MS: '1000' });
  await connection.connected();
  const closed = vi.fn();
  connection.redis.on('close', closed);
  try {
    proxy.hold();
    const askedAt = performance.now();
    await expect(connection.redis.ping()).rejects.toThrow('timed out');
    proxy.cut();
    await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce(), 15_000);
    await connection.connected();
    // Three time-outs after it was asked, the first connection would have been given up.
    while (performance.now() < askedAt + 3_500) {
      await connection.redis.ping().catch(() => {});
    }
    expect(closed).toHaveBeenCalledOnce();
  } finally {
    await proxy.close();
  }
});

test('a slow command fails in time; run late, it took one unit, and a repeat gets the same id', async () => {
  const { id } = await here.openCoupon();
  const connection = connect({ GATE_TIMEOUT_MS: '2000' });
  await connection.connected();
  const slow = new Gate(connection, here.prefix);
  await here.raw.client('PAUSE', 10_000, 'WRITE');
  try {
    await expect(slow.reserve(id, ['ann'])).rejects.toThrow('timed out');
  } finally {
    await here.raw.client('UNPAUSE');
  }
  await vi.waitFor(async () => expect((await here.gate.inspect(id)).holders).toBe(1), 15_000);
  const [issuanceId] = await here.gate.heldBy(id, ['ann']);
  expect(await here.outcomes(id, 'ann')).toEqual([{ kind: 'replayed', issuanceId, pending: true }]);
});

test('a Redis that lost its scripts is sent them again', async () => {
  const { id } = await here.openCoupon();
  await here.take(id, 'ann');
  await here.raw.script('FLUSH');
  const issuanceId = await here.take(id, 'bob');
  expect(await here.gate.heldBy(id, ['bob'])).toEqual([issuanceId]);
});

test('a Redis that evicts keys is a problem, told in words', async () => {
  // The job store stands in: on the gate's own Redis another test could lose its keys.
  const jobs = connect({ GATE_REDIS_URL: testConfig().JOBS_REDIS_URL });
  await jobs.connected();
  expect(await jobs.problem()).toBeUndefined();
  try {
    await jobs.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await jobs.problem()).toBe(
      'the gate Redis evicts keys (maxmemory-policy allkeys-lru): set it to noeviction',
    );
  } finally {
    await jobs.redis.config('SET', 'maxmemory-policy', 'noeviction');
  }
});

test('a Redis that is not there is told of after the time given', async () => {
  const connection = connect({ GATE_REDIS_URL: 'redis://127.0.0.1:1' });
  await expect(connection.connected(200)).rejects.toThrow(
    'the gate Redis (GATE_REDIS_URL) is not reachable',
  );
  expect(await connection.problem()).toContain('not reachable');
  await expect(new Gate(connection, uniqueName()).now()).rejects.toThrow();
});
