import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Standstill } from './standstill.ts';

const at = { topic: 'requests', partition: 3 };
let standstill: Standstill;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  standstill = new Standstill();
});
afterEach(() => void vi.useRealTimers());

function listAfter(seconds: number): [number, string][] {
  vi.advanceTimersByTime(1_000 * seconds);
  return standstill.list().map((standing) => [standing.seconds, standing.reason]);
}

it('counts from the first time that a partition was tried, whatever came of the later ones', () => {
  standstill.handling(at);
  standstill.waitsFor(at, 'MySQL is away');
  expect(listAfter(10)).toEqual([[10, 'MySQL is away']]);
  standstill.handling(at);
  expect(listAfter(10)).toEqual([[20, 'its handler is at work']]);
});

it('counts anew when some of it was committed, and not any more when all was', () => {
  standstill.handling(at);
  expect(listAfter(10)).toEqual([[10, 'its handler is at work']]);
  standstill.committed(at);
  expect(listAfter(5)).toEqual([[5, 'its handler is at work']]);
  standstill.handled(at, true);
  expect(listAfter(5)).toEqual([]);
});

it('counts while what was done is not committed, until it is', () => {
  standstill.handling(at);
  standstill.handled(at, false);
  expect(listAfter(10)).toEqual([[10, 'its offset is not committed']]);
  standstill.committed(at);
  expect(listAfter(5)).toEqual([]);
});

it('forgets a partition that another consumer has by now', () => {
  standstill.waitsFor(at, 'it is stopped');
  standstill.keepOnly([{ topic: 'requests', partition: 4 }]);
  expect(listAfter(5)).toEqual([]);
});
