import { describe, expect, test } from 'vitest';
import { timeArgument, timeArgumentOrNone } from './time-argument.ts';

test.each([
  ['2026-12-24T18:00:00+09:00', '2026-12-24T09:00:00.000Z'],
  ['2026-12-24T18:00+0900', '2026-12-24T09:00:00.000Z'],
  ['2026-12-24T18:00+09', '2026-12-24T09:00:00.000Z'],
  ['2026-12-24t18:00:00z', '2026-12-24T18:00:00.000Z'],
  ['2026-12-24T18:00:00.5-03:30', '2026-12-24T21:30:00.500Z'],
  ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
  ['2000-01-01T00:00:00Z', '2000-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('%s is %s', (text, utc) => {
  expect(new Date(timeArgument(text)).toISOString()).toBe(utc);
});

describe('what is no time, or may mean another one elsewhere, is refused with what to write', () => {
  test.each([
    ['2026-12-24T18:00:00', 'write 2026-12-24T18:00:00+09:00 for Korea, or 2026-12-24T18:00:00Z'],
    ['2026-12-24', 'It must be a time like'],
    ['2026-12-24 18:00:00Z', 'It must be a time like'],
    ['tomorrow', 'It must be a time like'],
    ['', 'It must be a time like'],
    ['1766566800', 'A number says no time'],
    ['1766566800000.5', 'A number says no time'],
    ['2026-13-24T18:00:00Z', 'There is no month 13'],
    ['2026-00-24T18:00:00Z', 'There is no month 00'],
    ['2026-02-30T18:00:00Z', '2026-02 has no day 30: its last one is 28'],
    ['2100-02-29T18:00:00Z', 'its last one is 28'],
    ['2026-12-00T18:00:00Z', 'no day 00'],
    ['2026-12-24T24:00:00Z', 'write 00:00 of the next one'],
    ['2026-12-24T25:00:00Z', 'There is no 25:00:00'],
    ['2026-12-24T18:60:00Z', 'There is no 18:60:00'],
    ['2016-12-31T23:59:60Z', 'no leap second'],
    ['2026-12-24T18:00:61Z', 'There is no 18:00:61'],
    ['2026-12-24T18:00:00.1234Z', 'three digits'],
    ['2026-12-24T18:00:00+15:00', 'from -12:00 to +14:00'],
    ['2026-12-24T18:00:00-12:30', 'from -12:00 to +14:00'],
    ['2026-12-24T18:00:00+09:75', 'There is no offset +09:75'],
    ['1969-12-31T00:00:00Z', 'one of 2000 to 9999'],
    ['1970-01-01T00:00:00Z', 'one of 2000 to 9999'],
    ['0001-01-01T00:00:00Z', 'one of 2000 to 9999'],
    ['9999-12-31T23:59:59-01:00', 'one of 2000 to 9999'],
    ['2000-01-01T00:00:00+00:01', 'one of 2000 to 9999'],
    ['+275760-09-13T00:00:00Z', 'It must be a time like'],
  ])('%s', (text, words) => {
    expect(() => timeArgument(text)).toThrow(words);
  });
});

test('none is no limit, where that can be said', () => {
  expect(timeArgumentOrNone('none')).toBe('none');
  expect(timeArgumentOrNone('2026-12-24T18:00:00Z')).toBe(Date.UTC(2026, 11, 24, 18));
  expect(() => timeArgument('none')).toThrow('It must be a time like');
});
