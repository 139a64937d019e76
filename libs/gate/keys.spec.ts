import { expect, test } from 'vitest';
import { decidedWatermarkKey, gateKeys, statusHintsKey } from './keys.ts';

const prefix = 'firstcome:';

/** What Redis Cluster computes the slot of a key from: what stands in its first braces. */
function hashTag(key: string): string | undefined {
  return /^[^{]*\{([^}]+)\}/.exec(key)?.[1];
}

test('all keys of a coupon are in one hash slot, so that one script may touch them all', () => {
  const tags = Object.values(gateKeys(prefix, 123)).map(hashTag);
  expect(new Set(tags)).toEqual(new Set(['coupon:123']));
});

test('no two things share a key', () => {
  const keys = [
    ...Object.values(gateKeys(prefix, 1)),
    ...Object.values(gateKeys(prefix, 11)),
    statusHintsKey(prefix, '1'),
    decidedWatermarkKey(prefix),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.every((key) => key.startsWith(prefix))).toBe(true);
});
