import { expect, test } from 'vitest';
import { planRuns } from './schedule.ts';
import { targetNames } from './summary.ts';

const targets = targetNames.length;

test('runs every target at every connection count once a round', () => {
  const runs = planRuns({ rounds: 3, connections: [64, 256] });
  expect(runs).toHaveLength(3 * 2 * targets);
  expect(new Set(runs.map((run) => JSON.stringify(run))).size).toBe(runs.length);
});

test('each target comes first in one round of as many as there are targets', () => {
  const runs = planRuns({ rounds: targets, connections: [64] });
  const firsts = runs.filter((_, i) => i % targets === 0);
  expect(new Set(firsts.map(({ target }) => target)).size).toBe(targets);
});

test('the targets that are compared run right after one another', () => {
  const counts = planRuns({ rounds: 1, connections: [64, 256] }).map(
    ({ connections }) => connections,
  );
  const each = (connections: number): number[] => Array<number>(targets).fill(connections);
  expect(counts).toEqual([...each(64), ...each(256)]);
});
