import { describe, expect, test } from 'vitest';
import {
  couponTimeMax,
  couponTimeMin,
  problemOfName,
  problemOfTimes,
  withClosingTime,
} from './coupon-terms.ts';

test.each(['winter sale', '겨울 세일', "it's", '👨‍👩‍👧', 'שלום', '한'.repeat(100), '🎟'.repeat(100)])(
  '%s is a name',
  (name) => {
    expect(problemOfName(name)).toBeUndefined();
  },
);

test.each([
  ['', 'blank'],
  [' \u00a0 ', 'blank'],
  ['x'.repeat(101), 'at most 100'],
  ['a\nb', 'one line'],
  ['a\u001b]0;title\u0007', 'one line'],
  ['a\u0085b', 'one line'],
  ['gnp.\u202eexe', 'one line'],
  ['\u3164', 'one line'],
  ['a\u200bb', 'one line'],
  ['\ud800', 'one line'],
])('%j is none: %s', (name, words) => {
  expect(problemOfName(name)).toContain(words);
});

describe('times', () => {
  test.each([
    [null, null],
    [couponTimeMin, couponTimeMax],
    [null, couponTimeMin],
  ])('%o and %o can be', (opensAt, closesAt) => {
    expect(problemOfTimes(opensAt, closesAt)).toBeUndefined();
  });

  test.each([
    [0, null, 'years 2000'],
    [-1, null, 'years 2000'],
    [null, couponTimeMax + 1, 'years 2000'],
    [Number.NaN, null, 'years 2000'],
    [couponTimeMin + 1, couponTimeMin, 'later than it opens'],
    [couponTimeMin, couponTimeMin, 'later than it opens'],
  ])('%o and %o cannot: %s', (opensAt, closesAt, words) => {
    expect(problemOfTimes(opensAt, closesAt)).toContain(words);
  });

  test.each([
    [couponTimeMin, couponTimeMin],
    [couponTimeMin, couponTimeMax],
    [couponTimeMin, null],
  ])('closing at %o, it can be valid until %o', (closesAt, validUntil) => {
    expect(problemOfTimes(null, closesAt, validUntil)).toBeUndefined();
  });

  test.each([
    [couponTimeMin + 1, couponTimeMin, 'must close before'],
    [null, couponTimeMin, 'must close before'],
    [null, couponTimeMax + 1, 'years 2000'],
  ])('closing at %o, it cannot be valid until %o: %s', (closesAt, validUntil, words) => {
    expect(problemOfTimes(null, closesAt, validUntil)).toContain(words);
  });

  test('without a closing time it closes when it is valid no longer', () => {
    expect(withClosingTime({ closesAt: null, validUntil: 7 }).closesAt).toBe(7);
    expect(withClosingTime({ closesAt: 5, validUntil: 7 }).closesAt).toBe(5);
    expect(withClosingTime({ closesAt: null, validUntil: null }).closesAt).toBeNull();
  });
});
