import { expect, test } from 'vitest';
import { BrokerClock } from './broker-clock.ts';

test('clocks that no record proves different are equal', () => {
  const clock = new BrokerClock();
  expect(clock.aheadMs).toBe(0);
  clock.note({ appendedAt: 10_000, seenAt: 10_400, absentAt: 9_600 });
  clock.note({ appendedAt: 20_000, seenAt: 90_000 });
  expect(clock.aheadMs).toBe(0);
});

test('a record from what is the future here proves that the clock of the broker is ahead', () => {
  const clock = new BrokerClock();
  clock.note({ appendedAt: 70_000, seenAt: 10_000 });
  expect(clock.aheadMs).toBe(60_000);
});

test('a record that came just now, and is old here, proves that it is behind; each narrows it', () => {
  const clock = new BrokerClock();
  clock.note({ appendedAt: 10_000, seenAt: 70_900, absentAt: 69_900 });
  expect(clock.aheadMs).toBe(-59_900);
  clock.note({ appendedAt: 20_000, seenAt: 81_000, absentAt: 80_000 });
  expect(clock.aheadMs).toBe(-60_000);
  // A record seen late says nothing.
  clock.note({ appendedAt: 20_000, seenAt: 95_000 });
  expect(clock.aheadMs).toBe(-60_000);
});

test('a clock that was set is followed', () => {
  const clock = new BrokerClock();
  clock.note({ appendedAt: 70_000, seenAt: 10_000, absentAt: 9_000 });
  clock.note({ appendedAt: 80_000, seenAt: 80_500, absentAt: 79_500 });
  expect(clock.aheadMs).toBe(0);
  clock.note({ appendedAt: 90_000, seenAt: 60_000, absentAt: 59_000 });
  expect(clock.aheadMs).toBe(30_000);
});
