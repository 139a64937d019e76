import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, parseConfig } from './config.ts';
import { asksForIdentity } from './identity-settings.ts';

const url = 'https://issuer.example/jwks.json';
let directory: string;
let file: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'key-set-'));
  file = aFile('good.json', '{"keys":[{"kty":"RSA","n":"x","e":"AQAB"}]}');
});
afterAll(() => rmSync(directory, { recursive: true }));

function aFile(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function problemOf(environment: Record<string, string>): string | undefined {
  try {
    parseConfig(environment);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

test('identity is off as firstcome comes, and on with a key set from either place', () => {
  expect(asksForIdentity(parseConfig({}))).toBe(false);
  expect(asksForIdentity(parseConfig({ AUTH_JWKS_URL: url }))).toBe(true);
  expect(asksForIdentity(parseConfig({ AUTH_JWKS_FILE: file }))).toBe(true);
});

test('algorithms are those with a public key, as they are named', () => {
  expect(parseConfig({}).AUTH_ALGORITHMS).toEqual(['RS256', 'PS256', 'ES256', 'EdDSA']);
  expect(parseConfig({ AUTH_ALGORITHMS: 'ES384, RS512' }).AUTH_ALGORITHMS).toEqual([
    'ES384',
    'RS512',
  ]);
});

describe('what would let somebody in unasked, or cannot be meant, is refused in words', () => {
  test.each([
    ['https://user:secret@issuer.example/jwks', 'must not have a user or a password'],
    ['http://issuer.example/jwks', 'must begin with https://'],
    ['http://127.0.0.1.example.com/jwks', 'must begin with https://'],
    ['http://localhost.example.com/jwks', 'must begin with https://'],
    ['ftp://issuer.example/jwks', 'must be a https:// or http:// URL'],
    ['issuer.example/jwks', 'must be'],
    ['https://', 'must be https://host/path'],
    ['https://issuer.example/a b', 'must not have blanks'],
  ])('AUTH_JWKS_URL=%s', (bad, words) => {
    const problem = problemOf({ AUTH_JWKS_URL: bad });
    expect(problem).toContain(`AUTH_JWKS_URL: ${words}`);
    expect(problem).not.toContain('secret');
  });

  test.each([['HS256'], ['none'], ['RS256,HS256'], ['rs256'], ['RS256 ES256'], [''], [' '], [',']])(
    'AUTH_ALGORITHMS=%j',
    (list) => {
      expect(problemOf({ AUTH_JWKS_URL: url, AUTH_ALGORITHMS: list })).toMatch(
        /AUTH_ALGORITHMS: must/,
      );
      expect(problemOf({ AUTH_ALGORITHMS: list })).toMatch(/AUTH_ALGORITHMS: must/);
    },
  );

  test.each(['AUTH_JWKS_URL', 'AUTH_JWKS_FILE'])('%s that is empty', (name) => {
    expect(problemOf({ [name]: '' })).toContain(`${name}: must not be empty`);
  });

  test('two key sets', () => {
    const both = { AUTH_JWKS_URL: url, AUTH_JWKS_FILE: file };
    expect(problemOf(both)).toContain('AUTH_JWKS_FILE: must not be set beside AUTH_JWKS_URL');
  });

  test.each([
    ['no.json', undefined, 'cannot be read: ENOENT'],
    ['text.json', 'hello s3cret', 'is not JSON'],
    ['array.json', '[]', 'is not a key set'],
    ['null.json', 'null', 'is not a key set'],
    ['other.json', '{"keys":{}}', 'is not a key set'],
    ['kty.json', '{"keys":[{"n":"s3cret"}]}', 'is not a key set'],
    ['private.json', '{"keys":[{"kty":"EC","d":"s3cret"}]}', 'has a private key in it'],
    ['many.json', `{"keys":[${'{"kty":"EC"},'.repeat(100)}{"kty":"EC"}]}`, 'has more than 100'],
  ])('AUTH_JWKS_FILE=%s', (name, text, words) => {
    const path = text === undefined ? join(directory, name) : aFile(name, text);
    const problem = problemOf({ AUTH_JWKS_FILE: path });
    expect(problem).toContain(`AUTH_JWKS_FILE: ${words}`);
    expect(problem).not.toContain('s3cret');
  });

  test.each(['AUTH_ISSUER', 'AUTH_AUDIENCE'])('%s without a key set', (name) => {
    expect(problemOf({ [name]: 'x' })).toContain(`${name}: needs AUTH_JWKS_URL`);
    expect(problemOf({ [name]: 'x', AUTH_JWKS_URL: url })).toBeUndefined();
  });

  test.each([
    ['AUTH_CLOCK_LEEWAY_S', '301'],
    ['AUTH_CLOCK_LEEWAY_S', '-1'],
    ['AUTH_JWKS_REFRESH_S', '0'],
    ['AUTH_JWKS_COOL_DOWN_MS', '0'],
    ['AUTH_KEYS_KEEP_S', '1'],
    ['AUTH_JWKS_ALLOW_HTTP', 'yes'],
  ])('%s=%s', (name, value) => {
    expect(problemOf({ [name]: value })).toContain(`${name}: must`);
  });
});

test.each([
  'http://127.0.0.1:8081/jwks',
  'http://localhost/jwks',
  'http://[::1]:80/jwks',
  'https://issuer.example/jwks?tenant=1',
])('%s is taken', (good) => {
  expect(problemOf({ AUTH_JWKS_URL: good })).toBeUndefined();
});

test('http:// to another machine is taken where it is allowed', () => {
  const plain = { AUTH_JWKS_URL: 'http://issuer.internal/jwks', AUTH_JWKS_ALLOW_HTTP: 'true' };
  expect(problemOf(plain)).toBeUndefined();
});
