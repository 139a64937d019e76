import { mkdirSync, rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { redis } from '../../infra/local/servers/redis.ts';
import { SpareServer } from '../../test/harness/servers/spare-server.ts';
import { testConfig } from '../../test/harness/test-config.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { isRefusal } from './checks/redis-refusal.ts';
import { GateConnection } from './gate-connection.ts';

const kind = redis('GATE_REDIS_URL', 'GATE_REDIS_CA_FILE');
const problem = await SpareServer.problem(kind);

/** A Redis whose settings these tests change, with a gate in it; `raw` stays the manager of it. */
let server: SpareServer;
let here: TestGate;
let raw: Redis;
const opened: GateConnection[] = [];

function connect(url: string): GateConnection {
  const connection = new GateConnection(testConfig({ GATE_REDIS_URL: url }));
  opened.push(connection);
  return connection;
}

beforeAll(async () => {
  if (problem === undefined) {
    server = await SpareServer.start(kind);
    here = new TestGate(server.url);
    raw = new Redis(server.url);
    await here.start();
  }
});
afterEach(() => opened.splice(0).forEach((connection) => connection.close()));
afterAll(async () => {
  raw?.disconnect();
  await here?.close();
  await server?.remove();
});

async function set(name: string, value: string): Promise<void> {
  await raw.config('SET', name, value);
}

test.skipIf(problem)(
  'a gate whose Redis is well has no problem, and to try it leaves nothing',
  async () => {
    expect(await here.connection.problem()).toBeUndefined();
    expect(await raw.keys('firstcome:write_trial*')).toEqual([]);
  },
);

test.skipIf(problem)('the room in a Redis is what its limit leaves', async () => {
  expect(await here.gate.room()).toBe(Infinity);
  await set('maxmemory', '100mb');
  try {
    const room = await here.gate.room();
    expect(room).toBeLessThan(100 * 1_024 * 1_024);
    expect(room).toBeGreaterThan(80 * 1_024 * 1_024);
  } finally {
    await set('maxmemory', '0');
  }
});

test.skipIf(problem).each([
  [
    'is full',
    () => set('maxmemory', '1mb'),
    () => set('maxmemory', '0'),
    /^the gate Redis is full \(maxmemory\).*OOM/,
  ],
  [
    'is a replica',
    () => raw.replicaof('127.0.0.1', 1),
    () => raw.replicaof('NO', 'ONE'),
    /^the gate Redis is a replica/,
  ],
  [
    'has too few replicas',
    () => set('min-replicas-to-write', '1'),
    () => set('min-replicas-to-write', '0'),
    /^the gate Redis takes no writes while it has too few replicas/,
  ],
  [
    'cannot save to its disk',
    async () => {
      await set('save', '3600 1');
      await failToSave();
    },
    async () => {
      rmSync(snapshot(), { recursive: true });
      await set('save', '');
      await raw.bgsave();
      await expect.poll(() => raw.info('persistence')).toContain('rdb_last_bgsave_status:ok');
    },
    /^the gate Redis takes no writes since it cannot save to its disk/,
  ],
  [
    'is busy with a script',
    async () => {
      await set('busy-reply-threshold', '50');
      const looping = new Redis(server.url);
      looping.eval('while true do end', 0).catch(() => {});
      await vi.waitFor(() => expect(raw.ping()).rejects.toThrow('BUSY'), 5_000);
      looping.disconnect();
    },
    async () => {
      await raw.script('KILL');
      await expect.poll(() => raw.ping()).toBe('PONG');
    },
    /^the gate Redis is busy with a script/,
  ],
  [
    'has taken rights away',
    () => raw.acl('SETUSER', 'default', '-hset'),
    () => raw.acl('SETUSER', 'default', '+@all'),
    /^the gate Redis does not let our user do what we need \(.*: hset\)/,
  ],
  [
    'has taken the right to run scripts away',
    () => raw.acl('SETUSER', 'default', '-evalsha', '-eval'),
    () => raw.acl('SETUSER', 'default', '+@all'),
    /^the gate Redis does not let our user do what we need \(NOPERM.*'evalsha'/,
  ],
  [
    'has taken our keys away',
    () => raw.acl('SETUSER', 'default', 'resetkeys'),
    () => raw.acl('SETUSER', 'default', 'allkeys'),
    /^the gate Redis does not let our user do what we need \(.*keys/,
  ],
  [
    'has taken the right to write away',
    () => raw.acl('SETUSER', 'default', '-set', '-hset'),
    () => raw.acl('SETUSER', 'default', '+@all'),
    /^the gate Redis does not let our user do what we need \(.*: set\)/,
  ],
])(
  'a Redis that %s is said to be so, refuses what nothing was done about, and heals',
  async (how, spoil, mend, words) => {
    const coupon = await here.openCoupon();
    const { id } = coupon;
    await spoil();
    try {
      await expect.poll(() => here.connection.problem()).toMatch(words);
      expect(here.gate.refusal).toMatch(words);
      const refused = await vi.waitFor(async () => {
        const error = await here.gate.reserve(id, ['ann']).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        // A connection that is being made anew refuses in its own words for a moment.
        expect(isRefusal(error)).toBe(true);
        return error;
      }, 10_000);
      expect(refused).toBeInstanceOf(Error);
    } finally {
      await mend();
    }
    await expect.poll(() => here.connection.problem(), { timeout: 10_000 }).toBeUndefined();
    expect(here.gate.refusal).toBeUndefined();
    // One that was a replica has another history: its gates wait for a recovery.
    const gate = how === 'is a replica' ? 'fenced' : 'open';
    expect(await here.gate.inspect(id)).toMatchObject({ gate, holders: 0, left: 10 });
    if (gate === 'fenced') {
      await here.rebuild({ ...coupon, epoch: coupon.epoch + 1 }, []);
    }
    await here.take(id, 'ann');
  },
);

test.skipIf(problem)(
  'behind a stable address, a connection to what became a replica is made anew, and nothing is sent again',
  async () => {
    const connection = connect(server.url);
    await connection.connected();
    const before = await connection.redis.client('ID');
    await raw.replicaof('127.0.0.1', 1);
    const closed = vi.fn();
    connection.redis.on('close', closed);
    try {
      await expect(connection.redis.incr('counted')).rejects.toThrow('READONLY');
      for (let i = 0; i < 20; i += 1) {
        await connection.redis.incr('counted').catch(() => {});
      }
      await connection.connected();
      // Not once for each refusal.
      expect(closed.mock.calls.length).toBeLessThanOrEqual(2);
    } finally {
      await raw.replicaof('NO', 'ONE');
    }
    await vi.waitFor(() => connection.redis.ping(), 5_000);
    expect(await connection.redis.client('ID')).not.toBe(before);
    expect(await raw.get('counted')).toBeNull();
  },
);

test.skipIf(problem)('a database that is none is never mistaken for another', async () => {
  const connection = connect(`${server.url}/99`);
  await expect
    .poll(() => connection.problem())
    .toMatch(/^the gate Redis has no database of the number in its URL/);
  await expect(connection.redis.set('stray', '1')).rejects.toThrow();
  expect(await raw.exists('stray')).toBe(0);

  const other = connect(`${server.url}/7`);
  await other.connected();
  expect(await other.problem()).toBeUndefined();
  await other.redis.set('stray', '1');
  expect(await raw.exists('stray')).toBe(0);
});

test.skipIf(problem)(
  'a login that is not believed is told, and is tried anew until it is',
  async () => {
    const { port } = server;
    const connection = connect(`redis://ann:p%40%3A%2F@127.0.0.1:${port}`);
    await expect
      .poll(() => connection.problem())
      .toMatch(/^the gate Redis does not believe our login/);
    await raw.acl('SETUSER', 'ann', 'on', '>p@:/', '~*', '+@all');
    await connection.connected();
    expect(await connection.problem()).toBeUndefined();

    // Redis ends the connections of a user who is deleted.
    await raw.acl('DELUSER', 'ann');
    await expect
      .poll(() => connection.problem())
      .toMatch(/does not believe our login|not reachable/);
    await raw.acl('SETUSER', 'ann', 'on', '>p@:/', '~*', '+@all');
    await expect.poll(() => connection.problem(), { timeout: 5_000 }).toBeUndefined();
  },
);

/** A directory stands where the snapshot should: it cannot be renamed over. */
async function failToSave(): Promise<void> {
  mkdirSync(`${snapshot()}/full`, { recursive: true });
  await raw.bgsave();
  await expect.poll(() => raw.info('persistence')).toContain('rdb_last_bgsave_status:err');
}

function snapshot(): string {
  return `${server.dataDir}/dump.rdb`;
}
