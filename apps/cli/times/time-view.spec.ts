import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { couponTimeMax, couponTimeMin } from '#administration/coupon-terms.ts';
import { timeArgument } from './time-argument.ts';
import { describeSpan, describeTimes, toZonedTime } from './time-view.ts';

const at = Date.parse('2026-12-24T09:00:00Z');
const hourMs = 3_600_000;

test.each([
  ['Asia/Seoul', at, '2026-12-24T18:00:00+09:00'],
  ['UTC', at, '2026-12-24T09:00:00+00:00'],
  ['+05:30', at, '2026-12-24T14:30:00+05:30'],
  ['America/St_Johns', at + 1, '2026-12-24T05:30:00.001-03:30'],
  ['America/New_York', Date.parse('2026-07-01T00:00:00Z'), '2026-06-30T20:00:00-04:00'],
  ['America/New_York', Date.parse('2026-12-01T00:00:00Z'), '2026-11-30T19:00:00-05:00'],
])('in %s %i is %s', (zone, time, text) => {
  expect(toZonedTime(time, zone)).toBe(text);
});

test('what is shown can be given back, and is the same time', () => {
  const zones = fc.constantFrom('Asia/Seoul', 'UTC', 'America/St_Johns', 'Pacific/Apia', '-02:00');
  const times = fc.integer({ min: couponTimeMin + 24 * hourMs, max: couponTimeMax - 24 * hourMs });
  fc.assert(
    fc.property(zones, times, (zone, time) => timeArgument(toZonedTime(time, zone)) === time),
  );
});

describe('times say what they mean now', () => {
  const open = { state: 'open', opensAt: null, closesAt: null, validUntil: null } as const;
  test.each([
    [open, undefined],
    [{ ...open, opensAt: at + 3 * hourMs }, 'opens in 3 h'],
    [{ ...open, opensAt: at + 3 * hourMs, closesAt: at + 9 * hourMs }, 'opens in 3 h'],
    [{ ...open, opensAt: at, closesAt: at + 50 * hourMs }, 'closes in 2 d 2 h'],
    [{ ...open, opensAt: at }, undefined],
    [{ ...open, closesAt: at }, 'closed less than 1 s ago'],
    [{ ...open, closesAt: at - 90_000 }, 'closed 1 min 30 s ago'],
    [{ ...open, state: 'closed' as const, closesAt: at + hourMs }, 'closed for good'],
    [{ ...open, validUntil: at + hourMs, closesAt: at + hourMs }, 'closes in 1 h, valid for 1 h'],
    [
      { ...open, state: 'closed' as const, validUntil: at },
      'closed for good, expired less than 1 s ago',
    ],
  ])('%o: %s', (coupon, words) => {
    expect(describeTimes(coupon, at)).toBe(words);
  });
});

test.each([
  [0, 'less than 1 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [hourMs + 59_000, '1 h'],
  [25 * hourMs, '1 d 1 h'],
])('%i ms are %s', (span, words) => {
  expect(describeSpan(span)).toBe(words);
});
