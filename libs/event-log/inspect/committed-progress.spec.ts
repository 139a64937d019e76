import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CommittedProgress } from './committed-progress.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const progress = new CommittedProgress();

function look(committed: number | null, lag: number | null): number | null {
  const logStart = 0;
  progress.note([{ partition: 3, committed, lag, logStart, high: 10 }]);
  return progress.secondsOf(3);
}

it('counts while there is a lag, or an unknown one, and the offset stands; from anew when it moves', () => {
  expect(progress.secondsOf(3)).toBeNull();
  expect(look(1, 9)).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(look(1, 9)).toBe(60);
  vi.advanceTimersByTime(5_000);
  expect(look(1, null)).toBe(65);
  expect(look(2, 8)).toBe(0);
  vi.advanceTimersByTime(5_000);
  expect(look(2, 8)).toBe(5);
  expect(look(2, 0)).toBe(0);
  vi.advanceTimersByTime(5_000);
  expect(look(2, 0)).toBe(0);
});
