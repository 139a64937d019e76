import { expect, it } from 'vitest';
import { judgeClocks, judgeTrips } from './round-trips.ts';

const trips = (store: string, clockAheadMs: number) =>
  judgeTrips(store, { medianMs: 1, clockAheadMs });

it('warns of a store whose clock is a second off ours, either way', () => {
  const verdictAt = (aheadMs: number) => trips('mysql', aheadMs).at(-1)?.verdict;
  expect([-1_000, -999, 0, 999, 1_000].map(verdictAt)).toEqual([
    'warning',
    'ok',
    'ok',
    'ok',
    'warning',
  ]);
});

it('compares the clocks of stores with each other: each may be right by ours and two of them not', () => {
  const near = [...trips('redis.gate', -200), ...trips('redis.jobs', 0), ...trips('mysql', 700)];
  expect(judgeClocks(near)).toEqual([
    {
      name: 'clocks',
      verdict: 'ok',
      message: 'the clock of mysql is 900 ms before that of redis.gate',
    },
  ]);
  expect(judgeClocks([...trips('redis.gate', -600), ...trips('mysql', 600)])).toMatchObject([
    { verdict: 'warning', remedy: expect.stringContaining('NTP') },
  ]);
});

it('compares nothing where fewer than two can be asked', () => {
  expect(judgeClocks(trips('mysql', 0))).toEqual([]);
  expect(judgeClocks([])).toEqual([]);
});
