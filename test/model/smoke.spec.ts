import { expect, test } from 'vitest';
import { describeFinding } from './search/finding.ts';
import type { Random } from './search/random.ts';
import { search } from './search/random-schedules.ts';
import { anything, anyTrouble } from './scenarios.ts';
import type { Scenario } from './world.ts';

/* What is quick enough to run with every check; the rest of the model has a project of its own. */

test('no invariant breaks in 500 random schedules', () => {
  const { finding } = search(anything, { first: 1, count: 500 });
  expect(finding, finding === null ? '' : describeFinding(finding)).toBeNull();
});

test('a seed determines its schedule, and a finding says how to replay it', () => {
  const mutated = (random: Random): Scenario => anyTrouble(random, 'noConfirm');
  const finding = search(mutated, { first: 1, count: 3_000 }).finding!;
  expect(search(mutated, { first: finding.seed!, count: 1 }).finding).toEqual(finding);
  expect(describeFinding(finding)).toContain(`npm run test:model -- --seed ${finding.seed}`);
});
