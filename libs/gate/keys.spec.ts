import { expect, test } from 'vitest';
import { couponIdOf, decidedWatermarkKey, gateKeys, statusHintsKey } from './keys.ts';

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

test('hints of issuances of the same 256 ms share a key, and those of the next have another', () => {
  const key = (time: string): string =>
    statusHintsKey(prefix, `${time}-7abc-8abc-0123456789ab`.replace(/^(.{8})/, '$1-'));
  expect(key('0199c0ffee00')).toBe(key('0199c0ffeeff'));
  expect(key('0199c0ffee00')).not.toBe(key('0199c0ffef00'));
});

test('whose gate a key belongs to is read from it, and of other keys nothing is', () => {
  const keys = Object.values(gateKeys(prefix, 2_147_483_647)) as string[];
  expect(new Set(keys.map(couponIdOf))).toEqual(new Set([2_147_483_647]));
  for (const other of [
    decidedWatermarkKey(prefix),
    statusHintsKey(prefix, '0199c0ff-ee00-7abc-8abc-0123456789ab'),
    `${prefix}{coupon:none}:meta`,
    `${prefix}{coupon:1}:meta:copy`,
    `${prefix}{coupon:12345678901}:meta`,
  ]) {
    expect(couponIdOf(other)).toBeUndefined();
  }
});
