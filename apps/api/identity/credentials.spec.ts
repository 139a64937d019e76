import { expect, test } from 'vitest';
import { authorizationCount, bearerToken } from './credentials.ts';

test.each([
  ['Bearer abc.def-_~+/==', 'abc.def-_~+/=='],
  ['bearer abc', 'abc'],
  ['BEARER   abc  ', 'abc'],
])('%j has a token', (header, token) => {
  expect(bearerToken(header)).toBe(token);
});

test.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  'Bearerabc',
  'Bearer a b',
  'Bearer a,b',
  'Bearer a, Bearer b',
  'Bearer "abc"',
  'Basic YTpi',
  'Token abc',
  ' Bearer abc',
  'Bearer\tabc',
])('%j has none', (header) => {
  expect(bearerToken(header)).toBeUndefined();
});

test('counts each header Authorization, whatever its case', () => {
  const others = ['Host', 'authorization', 'X-Authorization', 'b'];
  expect(authorizationCount({ rawHeaders: others })).toBe(0);
  const two = ['Authorization', 'Bearer a', 'Host', 'x', 'AUTHORIZATION', 'Bearer b'];
  expect(authorizationCount({ rawHeaders: two })).toBe(2);
});
