import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CurrentKeys, KeysUnknownError } from './current-keys.ts';
import type { Signer } from './signer.fixture.ts';
import { aSigner } from './signer.fixture.ts';

const refreshMs = 60_000;
const coolDownMs = 5_000;

let first: Signer;
let second: Signer;
let now: number;
let reads: number;
let served: Signer[] | Error;
let keys: CurrentKeys;

beforeAll(async () => {
  [first, second] = await Promise.all([aSigner('first'), aSigner('second')]);
});
beforeEach(() => {
  now = 1_000_000;
  reads = 0;
  served = [first];
  const source = async () => {
    reads += 1;
    if (served instanceof Error) throw served;
    return { keys: served.map(({ publicKey }) => publicKey) };
  };
  keys = new CurrentKeys(source, { refreshMs, coolDownMs }, () => now);
});

const find = async (kid: string) => keys.find({ alg: 'ES256', kid }, {} as never);

describe('the key set', () => {
  test('is read at once, and then every so often', async () => {
    await keys.refreshIfDue();
    now += refreshMs - 1;
    await keys.refreshIfDue();
    expect(reads).toBe(1);
    now += 1;
    await keys.refreshIfDue();
    expect(reads).toBe(2);
    expect(keys.reads).toEqual({ good: 2, failed: 0 });
  });

  test('that was never read is unknown, which is another thing than a key that is not in it', async () => {
    served = new Error('connect ECONNREFUSED');
    await expect(keys.refreshIfDue()).rejects.toThrow('ECONNREFUSED');
    await expect(find('first')).rejects.toThrow(KeysUnknownError);
    expect(keys.problem()).toContain('ECONNREFUSED');
    expect(keys.ageMs).toBeUndefined();
    served = [first];
    now += 1_000;
    await keys.refreshIfDue();
    expect(keys.problem()).toBeUndefined();
    expect(await find('first')).toBeDefined();
  });

  test('stays in use as it was while it cannot be read again, and says how old it is', async () => {
    await keys.refreshIfDue();
    served = new Error('gone');
    now += 10 * refreshMs;
    await expect(keys.refreshIfDue()).rejects.toThrow('gone');
    expect(await find('first')).toBeDefined();
    expect(keys.ageMs).toBe(10 * refreshMs);
    expect(keys.problem()).toBeUndefined();
    expect(keys.staleness()).toContain('gone');
    served = [first];
    now += 5_000;
    await keys.refreshIfDue();
    expect(keys.ageMs).toBe(0);
    expect(keys.staleness()).toBeUndefined();
  });

  test('drops what it has dropped, and is another one then', async () => {
    await keys.refreshIfDue();
    const { version } = keys;
    served = [second];
    now += refreshMs;
    await keys.refreshIfDue();
    expect(keys.version).toBe(version + 1);
    await expect(find('first')).rejects.toThrow();
  });

  test('that is the same is no other one: nothing is forgotten for it', async () => {
    await keys.refreshIfDue();
    now += refreshMs;
    await keys.refreshIfDue();
    expect(keys.version).toBe(1);
  });
});

describe('a token with a key that is not known', () => {
  beforeEach(() => keys.refreshIfDue());

  test('has the set read again: a new key works without a wait', async () => {
    now += coolDownMs;
    served = [first, second];
    expect(await find('second')).toBeDefined();
    expect(reads).toBe(2);
  });

  test('is one of a flood: there is one read for all, and none before the time has passed', async () => {
    now += coolDownMs;
    await Promise.allSettled(Array.from({ length: 1_000 }, (_, i) => find(`unknown-${i}`)));
    expect(reads).toBe(2);
    now += coolDownMs - 1;
    await Promise.allSettled(Array.from({ length: 1_000 }, (_, i) => find(`more-${i}`)));
    expect(reads).toBe(2);
    now += 1;
    await expect(find('unknown')).rejects.toThrow();
    expect(reads).toBe(3);
  });

  test('while the set cannot be read is not known, and what is known is', async () => {
    now += coolDownMs;
    served = new Error('gone');
    await expect(find('second')).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    expect(await find('first')).toBeDefined();
  });
});
