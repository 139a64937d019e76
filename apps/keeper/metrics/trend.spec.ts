import { expect, test } from 'vitest';
import { Trend } from './trend.ts';

test('a rate is that of the last seconds, once they are a second', () => {
  const trend = new Trend<string>();
  const look = (value: number | null, atS: number) => {
    trend.note(new Map([['a', value]]), atS * 1_000);
    return [trend.perSecond('a'), trend.secondsToZero('a')];
  };
  expect([trend.perSecond('a'), trend.secondsToZero('a')]).toEqual([null, null]);
  expect(look(100, 0)).toEqual([null, null]);
  expect(look(90, 0.5)).toEqual([null, null]);
  expect(look(80, 1)).toEqual([-20, 4]);
  expect(look(100, 2)).toEqual([0, null]);
  expect(look(160, 3)).toEqual([20, null]);
  // What was five seconds ago does not count any more.
  expect(look(160, 7.9)).toEqual([0, null]);
  expect(look(0, 8.9)).toEqual([-160, 0]);
});

test('what is unknown is forgotten, and begins anew', () => {
  const trend = new Trend<string>();
  trend.note(new Map([['a', 9]]), 0);
  trend.note(new Map([['a', 8]]), 1_000);
  trend.note(new Map([['a', null]]), 2_000);
  expect([trend.perSecond('a'), trend.secondsToZero('a')]).toEqual([null, null]);
  trend.note(new Map([['a', 7]]), 3_000);
  expect(trend.perSecond('a')).toBeNull();
  trend.note(new Map(), 4_000);
  trend.note(new Map([['a', 5]]), 5_000);
  expect(trend.perSecond('a')).toBeNull();
});
