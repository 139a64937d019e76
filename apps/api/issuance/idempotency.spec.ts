import { expect, test } from 'vitest';
import { readIdempotencyKey } from './idempotency.ts';

test.each([
  ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
  ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
  ['stainless-node-retry-1a/b+c=', 'stainless-node-retry-1a/b+c='],
  ['"a \\"b\\" \\\\ c, d;"', 'a "b" \\ c, d;'],
  ['x'.repeat(255), 'x'.repeat(255)],
  [`"${'\\"'.repeat(255)}"`, '"'.repeat(255)],
])('Idempotency-Key: %s is the key %s', (header, key) => {
  expect(readIdempotencyKey(header)).toBe(key);
});

test.each([
  '',
  '""',
  '"',
  '"a',
  'a"',
  '"a"b"',
  '"a\\b"',
  'a, b',
  'a,b',
  '"a", "b"',
  'a b',
  'a;b',
  'a\\b',
  'é',
  '"é"',
  'a\u007f',
  '"a\tb"',
  'x'.repeat(256),
  `"${'x'.repeat(256)}"`,
])('Idempotency-Key: %j is none', (header) => {
  expect(readIdempotencyKey(header)).toBeUndefined();
});
