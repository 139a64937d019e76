import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckResult } from '#platform/checks/check.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';
import { firstcome } from '../../infra/local/processes/cli.ts';
import { uniqueName } from '../harness/test-config.ts';

interface Examined {
  exitCode: number;
  verdict: string;
  checks: CheckResult[];
}

let stack: Stack;

beforeAll(async () => {
  stack = await prepareStack();
});
afterAll(() => stack.stop());

async function examine(env: Record<string, string> = {}): Promise<Examined> {
  const { exitCode, stdout } = await firstcome({ ...stack.env, ...env }, 'doctor', '--json');
  return { exitCode, ...(JSON.parse(stdout) as Omit<Examined, 'exitCode'>) };
}

function find({ checks }: Examined, name: string): CheckResult | undefined {
  return checks.find((check) => check.name === name);
}

describe('firstcome doctor', () => {
  it('finds no promise void on the servers that the project starts itself, store by store', async () => {
    const examined = await examine();
    expect(
      examined.checks.filter(({ verdict }) => verdict === 'promise_void' || verdict === 'away'),
    ).toEqual([]);
    expect(examined.exitCode).toBe(0);
    const stores = new Set(examined.checks.map(({ name }) => name.split('.')[0]));
    expect(stores).toEqual(new Set(['redis', 'kafka', 'mysql', 'identity', 'host', 'clocks']));
    for (const name of [
      'redis.gate.version',
      'redis.gate.writes',
      'redis.gate.rights',
      'redis.gate.channel',
      'redis.gate.clock',
      'redis.gate.latency',
      'redis.gate.memory',
      'redis.gate.saves',
      'clocks',
      'redis.jobs.eviction',
      'kafka.version',
      'mysql.version',
      'mysql.durability.innodb-flush',
      'mysql.rights',
      'mysql.schema',
      'identity',
      'host.open-files',
    ]) {
      expect(find(examined, name)?.verdict, name).toBe('ok');
    }
  });

  it('prints a line for each check, and a count', async () => {
    const { stdout } = await stack.firstcome('doctor');
    expect(stdout).toMatch(/^ok +redis\.gate\.version +(Redis|Valkey) \d/m);
    expect(stdout).toMatch(/\d+ ok, \d+ warnings, 0 promises void, 0 could not be asked\n$/);
  });

  it('tells of each store that is away, in time, and of the others all the same', async () => {
    const startedAt = Date.now();
    const examined = await examine({
      GATE_REDIS_URL: 'redis://127.0.0.1:1',
      MYSQL_URL: 'mysql://root:s3cret@127.0.0.1:1/nowhere',
    });
    expect(Date.now() - startedAt).toBeLessThan(20_000);
    expect(examined.exitCode).toBe(69);
    expect(find(examined, 'redis.gate.reachable')?.verdict).toBe('away');
    expect(find(examined, 'mysql.reachable')?.verdict).toBe('away');
    expect(find(examined, 'redis.jobs.writes')?.verdict).toBe('ok');
    expect(JSON.stringify(examined)).not.toContain('s3cret');
  });

  it('says with 78 that the configuration is wrong', async () => {
    const bad = await firstcome({ ...stack.env, GATE_REDIS_URL: 'redis://gate/x' }, 'doctor');
    expect(bad.exitCode).toBe(78);
  });
});

describe('users with no more than the documented rights', () => {
  const name = uniqueName();
  const password = `p@:/?#%'"\\`;
  const login = `${name}:${encodeURIComponent(password)}@`;
  let redis: Redis;
  let database: mysql.Connection;

  const as = (url: string): string => {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${login}${host}${pathname}`;
  };
  const aclOf = (prefix: string): string[] => [
    `~${prefix}*`,
    `&${prefix}*`,
    '+publish',
    '+subscribe',
    ...`+multi +exec +info +ping +time +select +eval +evalsha +get +set +exists +unlink +expire +persist +type
        +scan +hset +hget +hmget +hgetall +hlen +hscan +hincrby +hdel +rename
        +zadd +zcard +zscore +zmscore +zrange +zrangebyscore +zrem`.split(/\s+/),
  ];

  beforeAll(async () => {
    redis = new Redis(stack.env['GATE_REDIS_URL']!);
    const prefix = stack.env['GATE_KEY_PREFIX']!;
    await redis.acl('SETUSER', name, 'on', `>${password}`, ...aclOf(prefix));
    database = await mysql.createConnection(stack.env['MYSQL_URL']!);
    await database.query('CREATE USER ? IDENTIFIED BY ?', [name, password]);
    await database.query('GRANT SELECT, INSERT, UPDATE, DELETE ON ??.* TO ?', [stack.name, name]);
  });
  afterAll(async () => {
    await redis.acl('DELUSER', name);
    redis.disconnect();
    await database.query('DROP USER ?', [name]);
    await database.end();
  });

  it('run api, issuer and keeper: assigned, issued, rebuilt, and doctor misses no right', async () => {
    const env = {
      GATE_REDIS_URL: as(stack.env['GATE_REDIS_URL']!),
      MYSQL_URL: as(stack.env['MYSQL_URL']!),
    };
    const couponId = await stack.createCoupon(10);
    await stack.startApp('keeper', env);
    await stack.startApp('issuer', env);
    const api = await stack.startApp('api', env);
    await expect
      .poll(async () => (await stack.assign(couponId, 'ann')).status, { timeout: 20_000 })
      .toBe(200);
    const { body } = await stack.assign(couponId, 'ann');
    await expect
      .poll(async () => (await stack.request(body.status_url, {}, api)).body.status, {
        timeout: 20_000,
      })
      .toBe('ISSUED');
    // A recovery needs the most rights of all.
    const keys = await redis.keys(`${stack.env['GATE_KEY_PREFIX']}*:holders`);
    await redis.unlink(...keys);
    await stack.assign(couponId, 'bob');
    await expect
      .poll(async () => (await stack.assign(couponId, 'bob')).status, { timeout: 30_000 })
      .toBe(200);
    const examined = await examine(env);
    expect(find(examined, 'redis.gate.rights')).toMatchObject({ verdict: 'ok' });
    expect(find(examined, 'mysql.rights')).toMatchObject({ verdict: 'ok' });
  });

  it('a right that is missing is named', async () => {
    await redis.acl('SETUSER', name, '-hset', '-zrem');
    await database.query('REVOKE INSERT ON ??.* FROM ?', [stack.name, name]);
    const examined = await examine({
      GATE_REDIS_URL: as(stack.env['GATE_REDIS_URL']!),
      MYSQL_URL: as(stack.env['MYSQL_URL']!),
    });
    expect(examined.exitCode).toBe(3);
    expect(find(examined, 'redis.gate.rights')).toMatchObject({
      verdict: 'promise_void',
      message: 'our user may not: hset, zrem',
    });
    expect(find(examined, 'mysql.rights')?.message).toContain('INSERT on issuance');
  });
});
