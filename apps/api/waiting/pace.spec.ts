import { expect, test } from 'vitest';
import { anIssuanceId } from '../../../test/harness/fixtures.ts';
import { Pace } from './pace.ts';

/** Deterministic, and spread evenly. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Requests at these times, decided one after another, so many a second, by a queue that was empty. */
function drainedAt(reservedAt: number[], perSecond: number, delayMs: number): number[] {
  let free = -Infinity;
  return reservedAt.map((at) => {
    free = Math.max(at + delayMs, free + 1_000 / perSecond);
    return free;
  });
}

interface Polled {
  calls: number[];
  pollsAt: number[];
}

/**
 * Clients who ask when they are told to, the first time when the answer to the assign says so; in
 * steps of 10 ms.
 */
function simulate(
  reservedAt: number[],
  perSecond: number,
  { delayMs = 60, asksAtOnce = false } = {},
): Polled {
  const clock = { now: 0 };
  const pace = new Pace(() => clock.now, randomFrom(7));
  const decidedAt = drainedAt(reservedAt, perSecond, delayMs);
  const ids = reservedAt.map((at) => anIssuanceId(at));
  const due = new Map<number, number[]>();
  const calls = ids.map(() => 0);
  const pollsAt: number[] = [];
  const stepOf = (at: number): number => Math.ceil(at / 10) * 10;
  const plan = (client: number): void => {
    const at = stepOf(clock.now + Math.max(1, pace.forecast(ids[client]!).pollAfterMs));
    due.set(at, [...(due.get(at) ?? []), client]);
  };
  const end = decidedAt.at(-1)! + 60_000;
  let [assigned, decided] = [0, 0];
  clock.now = stepOf(reservedAt[0]!);
  for (; clock.now < end; clock.now += 10) {
    const heard = [];
    while (decided < ids.length && decidedAt[decided]! <= clock.now) {
      heard.push(ids[decided]!);
      decided += 1;
    }
    if (heard.length > 0) {
      pace.heard(heard);
    }
    while (assigned < ids.length && reservedAt[assigned]! <= clock.now) {
      if (asksAtOnce) {
        calls[assigned]! += 1;
      }
      plan(assigned);
      assigned += 1;
    }
    for (const client of due.get(clock.now) ?? []) {
      calls[client]! += 1;
      pollsAt.push(clock.now);
      if (decidedAt[client]! > clock.now) {
        plan(client);
      }
    }
    due.delete(clock.now);
  }
  return { calls, pollsAt };
}

const start = 1_764_000_000_000;

function steadily(count: number, perSecond: number): number[] {
  return Array.from({ length: count }, (_, i) => start + Math.floor((i * 1_000) / perSecond));
}

function p99(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)]!;
}

/** Polls of the busiest 100 ms, as a multiple of what they would be if all were alike. */
function crowding(pollsAt: number[]): number {
  const first = Math.min(...pollsAt);
  const counts = new Map<number, number>();
  for (const at of pollsAt) {
    const slot = Math.floor((at - first) / 100);
    counts.set(slot, (counts.get(slot) ?? 0) + 1);
  }
  const slots = Math.floor((Math.max(...pollsAt) - first) / 100) + 1;
  return Math.max(...counts.values()) / (pollsAt.length / slots);
}

test.each([
  ['one after another, as they come', steadily(4_000, 200), 10_000],
  ['faster than they are decided, for seconds', steadily(8_000, 2_000), 1_000],
  [
    'after a pause that nothing is known from',
    [...steadily(50, 5), ...steadily(2_000, 400).map((at) => at + 60_000)],
    5_000,
  ],
])('who asks when told to asks twice at most, of 99 in 100: %s', (_, reservedAt, perSecond) => {
  const { calls } = simulate(reservedAt, perSecond);
  expect(p99(calls)).toBeLessThanOrEqual(2);
  expect(Math.min(...calls)).toBeGreaterThanOrEqual(1);
  // Also when the first time is right after the assign.
  expect(p99(simulate(reservedAt, perSecond, { asksAtOnce: true }).calls)).toBeLessThanOrEqual(3);
});

test('who asks right after the assign, and then when told to, asks twice at most while nothing piles up', () => {
  const { calls } = simulate(steadily(4_000, 200), 10_000, { asksAtOnce: true });
  expect(p99(calls)).toBeLessThanOrEqual(2);
});

test.each([
  ['one after another', steadily(4_000, 200), 10_000],
  ['two thousand within a tenth of a second', steadily(2_000, 20_000), 20_000],
  ['faster than they are decided', steadily(8_000, 2_000), 1_000],
])('who comes at once does not come back at once: %s', (_, reservedAt, perSecond) => {
  expect(crowding(simulate(reservedAt, perSecond).pollsAt)).toBeLessThanOrEqual(2);
});

test('nothing is known before anything was decided, nor when nothing is any more', () => {
  const clock = { now: start };
  const pace = new Pace(() => clock.now);
  expect(pace.forecast(anIssuanceId(start)).estimatedWaitMs).toBeNull();
  pace.heard([anIssuanceId(start - 50)]);
  clock.now += 200;
  expect(pace.forecast(anIssuanceId(clock.now)).estimatedWaitMs).toBe(50);
  clock.now += 10_000;
  expect(pace.forecast(anIssuanceId(clock.now)).estimatedWaitMs).toBeNull();
});

test('one that others have overtaken by far is not guessed at, and is asked for ever more rarely', () => {
  const pace = new Pace(
    () => start,
    () => 0,
  );
  pace.heard([anIssuanceId(start - 50)]);
  const after = (ageMs: number): number => pace.forecast(anIssuanceId(start - ageMs)).pollAfterMs;
  expect(pace.forecast(anIssuanceId(start - 5_000)).estimatedWaitMs).toBeNull();
  expect([2_000, 8_000, 3_600_000].map(after)).toEqual([1_000, 4_000, 15_000]);
});

test('a queue that grows is told as long as it is: decided half as fast as they come', () => {
  const clock = { now: start };
  const pace = new Pace(
    () => clock.now,
    () => 0,
  );
  for (let second = 0; second < 2_000; second += 100) {
    clock.now = start + second;
    pace.heard([anIssuanceId(start + second / 2)]);
  }
  // Reserved now, 950 ms behind what is decided now, at half the speed.
  const { estimatedWaitMs, pollAfterMs } = pace.forecast(anIssuanceId(clock.now));
  expect(estimatedWaitMs).toBeGreaterThan(1_200);
  expect(estimatedWaitMs).toBeLessThan(2_400);
  expect(pollAfterMs).toBeGreaterThanOrEqual(estimatedWaitMs!);
});

test('a queue that has gone is forgotten: who comes then is not told to wait for as long as it took', () => {
  const clock = { now: start };
  const pace = new Pace(
    () => clock.now,
    () => 0,
  );
  for (; clock.now < start + 1_000; clock.now += 50) {
    pace.heard([anIssuanceId(clock.now - 12_000)]);
  }
  clock.now += 800;
  pace.heard([anIssuanceId(clock.now - 20)]);
  expect(pace.forecast(anIssuanceId(clock.now)).pollAfterMs).toBeLessThanOrEqual(20);
  // Then nothing more, as it is where nobody asks.
  clock.now += 1_100;
  expect(pace.forecast(anIssuanceId(clock.now)).estimatedWaitMs).toBeNull();
});

test('a moment in which nothing is decided is not taken for a queue that grows for good', () => {
  const clock = { now: start };
  const pace = new Pace(
    () => clock.now,
    () => 0,
  );
  for (; clock.now < start + 2_000; clock.now += 20) {
    pace.heard([anIssuanceId(clock.now - 20)]);
  }
  clock.now += 400;
  pace.heard(Array.from({ length: 16 }, (_, i) => anIssuanceId(clock.now - 420 + i * 25)));
  expect(pace.forecast(anIssuanceId(clock.now)).pollAfterMs).toBeLessThan(1_000);
});

test('clocks that differ by an hour change no forecast', () => {
  const forecastBy = (differenceMs: number): number | null => {
    const pace = new Pace(() => start + differenceMs);
    pace.heard([anIssuanceId(start - 300)]);
    return pace.forecast(anIssuanceId(start - 100)).estimatedWaitMs;
  };
  expect([0, 3_600_000, -3_600_000].map(forecastBy)).toEqual([200, 200, 200]);
});
