import { describe, expect, it } from 'vitest';
import type { Verdict } from '#platform/checks/check.ts';
import { judgePromises, judgeStanding } from './redis-checks.ts';

/** As Redis tells of itself; what a test is about is given. */
function infoOf(given: Record<string, string> = {}): string {
  const fields = {
    redis_version: '7.0.15',
    role: 'master',
    cluster_enabled: '0',
    maxmemory_policy: 'noeviction',
    rdb_last_bgsave_status: 'ok',
    aof_last_bgrewrite_status: 'ok',
    aof_last_write_status: 'ok',
    ...given,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}:${value}`);
  return ['# Everything', 'other_role:slave', ...lines, ''].join('\r\n');
}

function judge(given: Record<string, string> = {}) {
  const info = infoOf(given);
  return [...judgePromises('redis.gate', info), ...judgeStanding('redis.gate', info)];
}

/** The results that are not as the promises need them. */
function wrong(given: Record<string, string>) {
  return judge(given).filter(({ verdict }) => verdict !== 'ok');
}

it('finds a Redis as the promises need it, and says what it is', () => {
  expect(judge()).toEqual([
    { name: 'redis.gate.version', verdict: 'ok', message: 'Redis 7.0.15' },
    { name: 'redis.gate.eviction', verdict: 'ok', message: 'maxmemory-policy is noeviction' },
    { name: 'redis.gate.role', verdict: 'ok', message: 'it is a primary' },
    {
      name: 'redis.gate.saves',
      verdict: 'ok',
      message: 'what it last wrote to its disk is there',
    },
  ]);
});

describe('the version', () => {
  it.each<[string, Verdict]>([
    ['5.0.14', 'promise_void'],
    ['6.0.16', 'promise_void'],
    ['6.1', 'promise_void'],
    ['6', 'promise_void'],
    ['6.2.0', 'warning'],
    ['6.9.1', 'warning'],
    ['7.0.0', 'ok'],
    ['7', 'ok'],
    ['8.1.0', 'ok'],
    ['10.0.0', 'ok'],
    ['unstable', 'ok'],
  ])('%s: %s', (version, verdict) => {
    const [judged] = judgePromises('redis.gate', infoOf({ redis_version: version }));
    expect(judged).toMatchObject({ verdict, message: `Redis ${version}` });
    expect(judged).toEqual(
      verdict === 'ok'
        ? { name: 'redis.gate.version', verdict, message: `Redis ${version}` }
        : expect.objectContaining({ why: expect.any(String), remedy: expect.stringMatching(/7/) }),
    );
  });

  it('of Valkey is its own, not that of the Redis it stands for', () => {
    const [judged] = judgePromises('redis.gate', infoOf({ valkey_version: '8.0.1' }));
    expect(judged).toMatchObject({ verdict: 'ok', message: 'Valkey 8.0.1' });
  });

  it('that is not told is taken for no older one', () => {
    const [judged] = judgePromises('redis.gate', 'role:master');
    expect(judged).toMatchObject({ verdict: 'ok', message: 'Redis of an unknown version' });
  });
});

it.each<[string, string, Record<string, string>, RegExp, RegExp]>([
  [
    'redis.gate.eviction',
    'promise_void',
    { maxmemory_policy: 'allkeys-lru' },
    /^maxmemory-policy is allkeys-lru$/,
    /^CONFIG SET maxmemory-policy noeviction/,
  ],
  ['redis.gate.role', 'promise_void', { role: 'slave' }, /^it is a replica$/, /primary/],
  [
    'redis.gate.role',
    'promise_void',
    { cluster_enabled: '1' },
    /^it is a node of a cluster$/,
    /no cluster/,
  ],
  [
    'redis.gate.saves',
    'warning',
    { aof_last_bgrewrite_status: 'err', aof_last_write_status: 'err' },
    /failed \(aof_last_bgrewrite_status, aof_last_write_status\)$/,
    /room/,
  ],
])('%s is a %s where it tells %j', (name, verdict, given, message, remedy) => {
  expect(wrong(given)).toEqual([
    {
      name,
      verdict,
      message: expect.stringMatching(message),
      why: expect.stringMatching(/./),
      remedy: expect.stringMatching(remedy),
    },
  ]);
});

it.each(['rdb_last_bgsave_status', 'aof_last_bgrewrite_status', 'aof_last_write_status'])(
  'warns where %s says that Redis could not write to its disk',
  (status) => {
    expect(wrong({ [status]: 'err' })).toMatchObject([
      {
        name: 'redis.gate.saves',
        verdict: 'warning',
        message: expect.stringContaining(`(${status})`),
      },
    ]);
  },
);
