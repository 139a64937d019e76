import { expect, test } from 'vitest';
import { redisFailure } from './redis-failure.ts';

/** As ioredis 5.11 and Redis say it. */
test.each([
  ['Connection is closed.', 'redis_away'],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'redis_away'],
  ['Socket timeout. Expecting data, but did not receive any in 3000ms.', 'redis_away'],
  ['Command timed out', 'redis_timeout'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'redis_refuses_writes'],
  ["READONLY You can't write against a read only replica.", 'redis_refuses_writes'],
  ['LOADING Redis is loading the dataset in memory', 'redis_refuses_writes'],
  ['ERR Error running script: attempt to index a nil value', 'unexpected'],
])('%s: %s', (message, cause) => {
  expect(redisFailure(new Error(message)).cause).toBe(cause);
});

test('what the system says of the connection, and what ioredis gives up, is a Redis that is away', () => {
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  expect(redisFailure(refused).cause).toBe('redis_away');
  const given = Object.assign(new Error('Reached the max retries'), {
    name: 'MaxRetriesPerRequestError',
  });
  expect(redisFailure(given).cause).toBe('redis_away');
});

test('a mistake of our own is no fault of Redis, and keeps its error', () => {
  const error = new RangeError('501 in a batch, at most 500 may be');
  expect(redisFailure(error)).toEqual({ cause: 'unexpected', error });
  expect(redisFailure(undefined).cause).toBe('unexpected');
});
