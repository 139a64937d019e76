import { expect, test } from 'vitest';
import { errorAttributes } from './error-attributes.ts';

function errorOf(name: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { name, ...more });
}

test.each<[Parameters<typeof errorAttributes>[0], Error, object]>([
  [
    'redis',
    errorOf('ReplyError', "OOM command not allowed when used memory > 'maxmemory'."),
    { 'error.type': 'ReplyError', 'db.response.status_code': 'OOM' },
  ],
  ['redis', errorOf('Error', 'OOM is not what Redis said'), { 'error.type': 'Error' }],
  ['redis', errorOf('ReplyError', 'user-1 is odd'), { 'error.type': 'ReplyError' }],
  [
    'mysql',
    errorOf('QueryFailedError', 'Deadlock found', { errno: 1213 }),
    { 'error.type': 'QueryFailedError', 'db.response.status_code': '1213' },
  ],
  // The number of the system that Node has for ECONNREFUSED.
  ['mysql', errorOf('Error', 'connect ECONNREFUSED', { errno: -111 }), { 'error.type': 'Error' }],
  ['kafka', errorOf('KafkaJSError', 'no', { errno: 3 }), { 'error.type': 'KafkaJSError' }],
])('%s: of %s a span says %j', (store, error, attributes) => {
  expect(errorAttributes(store, error)).toEqual(attributes);
});

test('what is thrown and is no error has the type that it has', () => {
  expect(errorAttributes('redis', 'text')).toEqual({ 'error.type': 'string' });
  expect(errorAttributes('mysql', null)).toEqual({ 'error.type': 'object' });
});
