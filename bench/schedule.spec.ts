import { expect, test } from 'vitest';
import { planRuns } from './schedule.ts';

test('runs every target at every connection count once a round', () => {
  const runs = planRuns({ rounds: 3, connections: [64, 256] });
  expect(runs).toHaveLength(3 * 2 * 3);
  expect(new Set(runs.map((run) => JSON.stringify(run))).size).toBe(runs.length);
});

test('each target comes first in one round of three', () => {
  const firsts = planRuns({ rounds: 3, connections: [64] }).filter((_, i) => i % 3 === 0);
  expect(new Set(firsts.map(({ target }) => target)).size).toBe(3);
});

test('the targets that are compared run right after one another', () => {
  const counts = planRuns({ rounds: 1, connections: [64, 256] }).map(
    ({ connections }) => connections,
  );
  expect(counts).toEqual([64, 64, 64, 256, 256, 256]);
});
