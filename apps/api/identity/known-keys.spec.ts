import { beforeEach, describe, expect, test } from 'vitest';
import type { NewApiKey } from '#identity/api-key.ts';
import { newApiKey } from '#identity/api-key.ts';
import type { LiveApiKey } from '#ledger/api-keys/api-key-ledger.ts';
import { KeysNotReadError, KnownKeys } from './known-keys.ts';

const keepMs = 900_000;
let now: number;
let key: NewApiKey;
let live: LiveApiKey[] | Error;
let noted: string[][];
let keys: KnownKeys;

beforeEach(async () => {
  now = 5_000;
  key = newApiKey();
  live = [{ id: key.id, hash: key.hash, scopes: ['read'], remainingMs: null }];
  noted = [];
  keys = new KnownKeys(
    {
      listLive: async () => {
        if (live instanceof Error) throw live;
        return live;
      },
      noteUsed: async (ids) => {
        if (live instanceof Error) throw live;
        noted.push(ids);
      },
    },
    keepMs,
    () => now,
  );
  await keys.refresh();
});

test('a key is known with its scopes', () => {
  expect(keys.find(key.text)).toEqual({
    kind: 'machine',
    keyId: key.id,
    scopes: new Set(['read']),
  });
});

test('another key, one with the id of this one, and what is none, are not', () => {
  expect(keys.find(newApiKey().text)).toBeUndefined();
  expect(keys.find(`firstcome_${key.id}_${'A'.repeat(43)}`)).toBeUndefined();
  expect(keys.find('firstcome_')).toBeUndefined();
});

test('a key that is revoked is none from the next look on', async () => {
  live = [];
  await keys.refresh();
  expect(keys.find(key.text)).toBeUndefined();
});

test('a key that is replaced ends when its time is over, also while MySQL is away', async () => {
  live = [{ id: key.id, hash: key.hash, scopes: ['read'], remainingMs: 1_000 }];
  await keys.refresh();
  live = new Error('MySQL is away');
  now += 999;
  expect(keys.find(key.text)).toBeDefined();
  now += 1;
  expect(keys.find(key.text)).toBeUndefined();
});

describe('while MySQL is away', () => {
  beforeEach(() => {
    live = new Error('MySQL is away');
  });

  test('what is known works on for so long, and then nobody can tell', async () => {
    now += keepMs;
    await expect(keys.refresh()).rejects.toThrow('MySQL is away');
    expect(keys.find(key.text)).toBeDefined();
    expect(keys.ageMs).toBe(keepMs);
    now += 1;
    expect(() => keys.find(key.text)).toThrow(KeysNotReadError);
  });

  test('from the start nobody can tell', () => {
    const unread = new KnownKeys({ listLive: async () => [], noteUsed: async () => {} }, keepMs);
    expect(() => unread.find(key.text)).toThrow(KeysNotReadError);
    expect(unread.ageMs).toBeUndefined();
  });

  test('what was used is noted later', async () => {
    keys.find(key.text);
    await expect(keys.noteUsed()).rejects.toThrow('MySQL is away');
    live = [];
    await keys.noteUsed();
    expect(noted).toEqual([[key.id]]);
  });
});

test('what was used is noted once, however often', async () => {
  for (let i = 0; i < 1_000; i += 1) {
    keys.find(key.text);
  }
  await keys.noteUsed();
  await keys.noteUsed();
  expect(noted).toEqual([[key.id], []]);
});
