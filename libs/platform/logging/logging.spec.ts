import { expect, test } from 'vitest';
import type { LogSettings } from './logging.ts';
import { createLogger } from './logging.ts';

const plain: LogSettings = { LOG_LEVEL: 'info', LOG_FORMAT: 'json', LOG_USER_IDS: 'plain' };
const hashed: LogSettings = { ...plain, LOG_USER_IDS: 'hashed', LOG_USER_ID_KEY: 'k'.repeat(16) };

/** What is written when `fields` are logged. */
function written(fields: object, settings = plain, message = 'said'): Record<string, unknown> {
  let line = '';
  const output = { write: (text: string): void => void (line += text) };
  createLogger('firstcome-test', settings, output).warn(fields, message);
  return JSON.parse(line) as Record<string, unknown>;
}

test('fields that the Elastic Common Schema has are called as it calls them, all others stand apart', () => {
  const line = written({
    trace_id: 't',
    request_id: 'r',
    user_id: 'ann',
    issuance_id: 'i',
    coupon_id: 1,
    route: undefined,
  });
  expect(line).toMatchObject({
    'log.level': 'warn',
    'service.name': 'firstcome-test',
    message: 'said',
    'trace.id': 't',
    'http.request.id': 'r',
    'user.id': 'ann',
    firstcome: { issuance_id: 'i', coupon_id: 1 },
  });
  expect(line).not.toHaveProperty('route');
});

test.each([
  [new TypeError('wrong'), 'TypeError', 'wrong'],
  ['a message of a library', 'Error', 'a message of a library'],
])(
  'whatever is said of an error has the one form that the schema knows: %s',
  (error, type, message) => {
    expect(written({ err: error })['error']).toMatchObject({ type, message });
    expect(written({ error })['error']).toMatchObject({ type, message });
  },
);

test('what a driver hangs on its error stays out: the command, its arguments, the statement', () => {
  const error = Object.assign(new Error('OOM'), {
    command: { args: ['ann'] },
    parameters: ['ann'],
  });
  expect(JSON.stringify(written({ err: error }))).not.toContain('ann');
});

test('a hashed user is the same each time, another under another key, and is not written plainly', () => {
  const line = written({ user_id: 'ann' }, hashed);
  expect(line['user.hash']).toMatch(/^[\da-f]{32}$/);
  expect(line).not.toHaveProperty(['user.id']);
  expect(written({ user_id: 'ann' }, hashed)['user.hash']).toBe(line['user.hash']);
  expect(written({ user_id: 'bob' }, hashed)['user.hash']).not.toBe(line['user.hash']);
  const rekeyed = { ...hashed, LOG_USER_ID_KEY: 'x'.repeat(16) };
  expect(written({ user_id: 'ann' }, rekeyed)['user.hash']).not.toBe(line['user.hash']);
});

test.each([
  ["Duplicate entry '123-o'brien' for key 'issuance.coupon_user'", 'issuance.coupon_user'],
  ["Incorrect string value: 'o'brien' for column `f`.`issuance`.`user_id` at row 1", 'user_id'],
  ["Truncated incorrect DOUBLE value: 'o'brien'", 'Truncated incorrect DOUBLE value'],
  ["You have an error in your SQL syntax; right syntax to use near 'o'brien' at line 1", 'line 1'],
])('what MySQL quotes of a statement is left out, and the rest stays: %s', (message, rest) => {
  const line = JSON.stringify(written({ err: new Error(message) }, plain, `failed: ${message}`));
  expect(line).not.toContain('brien');
  expect(line).toContain(rest);
});

test('for people a line is text, with the stack of an error below it, and steers no terminal', () => {
  let text = '';
  const output = { write: (line: string): void => void (text += line) };
  const logger = createLogger('firstcome-test', { ...plain, LOG_FORMAT: 'text' }, output);
  logger.warn({ err: new Error('broken'), coupon_id: 7, user_id: 'ann\u001B[2J' }, 'said');
  expect(text).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} WARN {2}firstcome-test said coupon_id=7 user\.id=ann\\u001b\[2J\nError: broken\n {4}at /,
  );
});
