import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { isApiKey, isSameHash, newApiKey, readApiKey } from './api-key.ts';

test('a key is 256 random bits, and only its SHA-256 is to be kept', () => {
  const { id, text, hash } = newApiKey();
  expect(text).toMatch(new RegExp(`^firstcome_${id}_[\\w-]{43}$`));
  expect(hash).toEqual(createHash('sha256').update(text).digest());
  expect(newApiKey().text).not.toBe(text);
});

test('a key is read back as it was made', () => {
  const { id, text, hash } = newApiKey();
  expect(readApiKey(text)).toEqual({ id, hash });
  expect(isSameHash(readApiKey(text)!.hash, hash)).toBe(true);
});

test('a key with another character in it has another hash', () => {
  const { text, hash } = newApiKey();
  const other = text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A');
  expect(isSameHash(readApiKey(other)!.hash, hash)).toBe(false);
  expect(isSameHash(Buffer.alloc(31), hash)).toBe(false);
});

test.each([
  '',
  'firstcome_',
  `firstcome_0123456789ab_${'a'.repeat(44)}`,
  'eyJhbGciOiJFUzI1NiJ9.e.s',
])('%j is no key', (text) => {
  expect(readApiKey(text)).toBeUndefined();
});

test('no token of a user is taken for a key', () => {
  expect(isApiKey('eyJhbGciOiJFUzI1NiJ9.e30.s')).toBe(false);
  expect(isApiKey(newApiKey().text)).toBe(true);
});
