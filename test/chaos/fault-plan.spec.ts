import { expect, test } from 'vitest';
import type { Fault } from './fault-plan.ts';
import { faultKinds, planFaults } from './fault-plan.ts';

test('a seed replays its faults, another one has others', () => {
  expect(firstFaults(7, 50)).toEqual(firstFaults(7, 50));
  expect(firstFaults(7, 50)).not.toEqual(firstFaults(8, 50));
});

test('every kind comes once before any comes again', () => {
  const kinds = firstFaults(1, 2 * faultKinds.length).map(({ kind }) => kind);
  expect(new Set(kinds.slice(0, faultKinds.length))).toEqual(new Set(faultKinds));
  expect(new Set(kinds.slice(faultKinds.length))).toEqual(new Set(faultKinds));
});

function firstFaults(seed: number, count: number): Fault[] {
  const faults = planFaults(seed);
  return Array.from({ length: count }, () => faults.next().value);
}
