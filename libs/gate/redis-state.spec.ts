import { expect, test } from 'vitest';
import { redisStateOf } from './redis-state.ts';

test('a Redis without a limit has no ratio, and a Valkey is called by its own version', () => {
  const info =
    'redis_version:7.2.4\r\nvalkey_version:8.0.1\r\nused_memory:1000\r\nused_memory_rss:9\r\n' +
    'maxmemory:0\r\nmaxmemory_policy:noeviction\r\nrole:slave\r\n';
  expect(redisStateOf(info)).toEqual({
    role: 'slave',
    version: '8.0.1',
    usedBytes: 1_000,
    limitBytes: null,
    memoryRatio: null,
  });
});

test('a Redis with a limit tells how much of it is taken', () => {
  const info = 'redis_version:7.0.15\r\nused_memory:250\r\nmaxmemory:1000\r\nrole:master\r\n';
  expect(redisStateOf(info)).toEqual({
    role: 'master',
    version: '7.0.15',
    usedBytes: 250,
    limitBytes: 1_000,
    memoryRatio: 0.25,
  });
});

test('what it does not tell is not made up', () => {
  expect(redisStateOf('')).toMatchObject({ role: 'unknown', version: null, limitBytes: null });
});
