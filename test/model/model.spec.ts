import { assert, describe, expect, test } from 'vitest';
import type { Mutation } from './mutations.js';
import { mutations } from './mutations.js';
import type { Random } from './random.js';
import { anyTrouble, halfStaged, overcommitted, smallCases, twoRecoveries } from './scenarios.js';
import type { Finding } from './scheduler.js';
import { describeFinding, runAll, search } from './scheduler.js';
import type { Scenario } from './world.js';

/*
 * A model of the protocol (docs/architecture.md), run over random schedules and, for small cases, over
 * all of them. It finds orders that tests on real servers would meet once in years.
 *
 *   MODEL_SCHEDULES=200000   runs that many random schedules instead of a few
 *   MODEL_SEED=60            runs the schedule of that seed only
 *
 * Each mutation takes one safeguard away and must be found. When one is not, either the safeguard is
 * not needed or the model does not see why it is.
 */

const timeout = 24 * 3_600_000;
const replayed = process.env['MODEL_SEED'];
const seeds =
  replayed === undefined
    ? { first: 1, count: Number(process.env['MODEL_SCHEDULES'] ?? 800) }
    : { first: Number(replayed), count: 1 };

function expectNone(finding: Finding | null): void {
  assert(finding === null, finding === null ? '' : describeFinding(finding));
}

describe('the protocol keeps its word', { timeout }, () => {
  test('over random schedules with any trouble', () => {
    expectNone(search(anyTrouble, seeds));
  });

  test('over random schedules in which the ledger refuses requests of the current epoch', () => {
    expectNone(search(overcommitted, seeds));
  });

  test.each(Object.entries(smallCases))('over all schedules in which %s', (_, scenario) => {
    const { finding, states } = runAll(scenario);
    expectNone(finding);
    expect(states).toBeGreaterThan(500);
  });
});

/** What each mutation is known to break, within the first 3 000 seeds. */
const foundAtRandom: [Mutation, invariant: string, typeof anyTrouble][] = [
  ['noRunIdFence', 'I3', anyTrouble],
  ['noConfirm', 'I3', anyTrouble],
  ['noMarker', 'I3', anyTrouble],
  ['noMarker', 'I5', anyTrouble],
  ['noVoid', 'I3', anyTrouble],
  ['noVoid', 'I5', anyTrouble],
  ['noMinEpochFence', 'I3', anyTrouble],
  ['markerBeforeFence', 'I3', anyTrouble],
  ['noTokenAtOpen', 'I5', anyTrouble],
  ['noMinEpochAtOpen', 'I3', anyTrouble],
  ['stockBackOnTimeout', 'I3', anyTrouble],
  ['stockBackOnTimeout', 'I5', anyTrouble],
  ['pendingAnsweredAtOnce', 'I3', anyTrouble],
  ['offsetBeforeRelease', 'I5', overcommitted],
  ['noDeduplication', 'I2', anyTrouble],
];

const foundByAll: Mutation[] = ['noRunIdAtOpen', 'recheckBeforeClaim'];

describe('a mutation is found', { timeout }, () => {
  test.each(foundAtRandom)('%s breaks %s', (mutation, invariant, scenarioOf) => {
    const mutated = (random: Random): Scenario => scenarioOf(random, mutation);
    const finding = search(mutated, { first: 1, count: 3_000 }, ({ violation }) =>
      violation.startsWith(invariant),
    );
    assert(finding !== null, `not found: ${mutations[mutation]}`);
  });

  test('noRunIdAtOpen breaks I5, over all schedules of a recovery that is rolled back', () => {
    const { finding } = runAll(halfStaged('noRunIdAtOpen'));
    expect(finding?.violation).toMatch(/^I5/);
  });

  // 12 000 random schedules do not meet it: a recovery must stand still, between two of its steps,
  // for the whole length of another one, and Redis be emptied before it goes on.
  test('recheckBeforeClaim breaks I5, over all schedules of two recoveries', () => {
    const { finding } = runAll(twoRecoveries('recheckBeforeClaim'));
    expect(finding?.violation).toMatch(/^I5/);
  });

  test('every mutation has a test', () => {
    const tested = new Set<string>([...foundAtRandom.map(([name]) => name), ...foundByAll]);
    expect([...tested].sort()).toEqual(Object.keys(mutations).sort());
  });
});

test('a seed determines its schedule', () => {
  const mutated = (random: Random): Scenario => anyTrouble(random, 'noConfirm');
  const finding = search(mutated, { first: 1, count: 3_000 })!;
  expect(search(mutated, { first: finding.seed!, count: 1 })).toEqual(finding);
  expect(describeFinding(finding)).toContain(`MODEL_SEED=${finding.seed}`);
});
