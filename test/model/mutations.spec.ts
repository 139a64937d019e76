import { assert, describe, expect, test } from 'vitest';
import { runAll } from './search/all-schedules.ts';
import type { Mutation } from './mutations.ts';
import { mutations } from './mutations.ts';
import type { Random } from './search/random.ts';
import { search } from './search/random-schedules.ts';
import {
  anyLoss,
  anyTrouble,
  holdersLost,
  manyChanges,
  manyPolls,
  overcommitted,
  twoCoupons,
} from './scenarios.ts';
import {
  fenceLost,
  halfStaged,
  impatient,
  lowered,
  openUnheard,
  pausedAndRolledBack,
  pausedElsewhere,
  pausedMeanwhile,
  pendingLost,
  pendingPutBack,
  pendingUsersLost,
  polled,
  stagingLost,
  stagingPutBack,
  twoManagers,
  twoRecoveries,
} from './small-cases.ts';
import type { Scenario } from './world.ts';

/*
 * Each mutation takes one safeguard away and must be found. When one is not, either the safeguard is
 * not needed or the model does not see why it is.
 */

const timeout = 600_000;

/** What each mutation is known to break, within the first 6 000 seeds. */
const foundAtRandom: [Mutation, invariant: string, typeof anyTrouble][] = [
  ['noRunIdFence', 'I3', anyTrouble],
  ['noHistoryFence', 'I3', anyTrouble],
  ['noConfirm', 'I3', anyTrouble],
  ['noMarker', 'I3', anyTrouble],
  ['noMarker', 'I5', anyTrouble],
  ['noVoid', 'I3', anyTrouble],
  ['noVoid', 'I5', anyTrouble],
  ['noMinEpochFence', 'I3', anyTrouble],
  ['markerBeforeFence', 'I3', anyTrouble],
  ['stockBackOnTimeout', 'I3', anyTrouble],
  ['stockBackOnTimeout', 'I5', anyTrouble],
  ['pendingAnsweredAtOnce', 'I3', anyTrouble],
  ['offsetBeforeRelease', 'I5', overcommitted],
  ['releaseUnseen', 'I4', overcommitted],
  ['noDeduplication', 'I2', anyTrouble],

  ['noHoldersCount', 'I3', anyLoss],
  ['noHoldersCount', 'I5', anyLoss],
  ['noPendingCount', 'I3', anyLoss],
  ['noCountsAtReserve', 'I3', anyLoss],
  ['noCountsAtApply', 'I3', holdersLost],
  ['noEpochSeen', 'I3', anyLoss],
  ['noSerialSeen', 'I3', anyLoss],
  ['stateNotNeeded', 'I5', anyLoss],
  ['missingFieldBreaksOff', 'Liveness', anyLoss],
  ['noFenceAtConfirm', 'I3', anyTrouble],
  ['openClaimed', 'Open', anyTrouble],
  ['holdersKept', 'Liveness', anyTrouble],
  ['oldPendingKept', 'I4', anyTrouble],
  ['epochOfGateOnly', 'Liveness', anyTrouble],
  ['markerOfAll', 'I3', twoCoupons],
  ['noTotalInLedger', 'I1', overcommitted],

  ['lowerInLedgerFirst', 'I3', manyChanges],
  ['raiseAtGateFirst', 'I3', manyChanges],
  ['noVersionAtGate', 'I5', manyChanges],
  ['changeUnseen', 'Final', manyChanges],
  ['noHoldersAtApply', 'I3', manyChanges],
  ['noCouponSync', 'I5', manyChanges],
  ['stateBeforeHolder', 'I3', manyChanges],
  ['stateAtConfirm', 'Liveness', manyChanges],

  ['garbageStops', 'Liveness', anyTrouble],
  ['garbageUnreported', 'I6', anyTrouble],
  ['garbageTakesNeighbours', 'I3', anyTrouble],
  ['unknownCouponSkipped', 'I6', anyTrouble],

  ['pendingNotConsidered', 'I3', manyPolls],
  ['oneGateConsidered', 'I3', twoCoupons],
  ['nowAfterPending', 'I3', manyPolls],
  ['endsNotAwaited', 'I3', manyPolls],
  ['ledgerBeforeWatermark', 'I3', manyPolls],
];

/**
 * What random schedules hardly meet: someone must stand still, between two of its steps, for the
 * whole length of what others do.
 */
const foundByAll: [Mutation, invariant: string, typeof halfStaged][] = [
  ['noRunIdAtOpen', 'Change', pausedAndRolledBack],
  ['noTokenAtOpen', 'Change', pausedMeanwhile],
  ['recheckBeforeClaim', 'Open', twoRecoveries],
  ['noCheck', 'I5', twoRecoveries],
  ['noHistoryAtOpen', 'Change', pausedElsewhere],
  ['noMinEpochAtOpen', 'I3', twoRecoveries],
  ['noStagedCount', 'I5', stagingLost],
  ['stagedOfGateOnly', 'I5', stagingPutBack],
  ['newEpochAtRetry', 'Liveness', impatient],
  ['epochKeptAfterOpen', 'I5', openUnheard],
  ['noEpochAtLower', 'I5', lowered],
  ['noFenceAtApply', 'I3', lowered],
  ['earlyCouponAtOpen', 'Change', pausedMeanwhile],
  ['noVersionLeft', 'Change', pausedMeanwhile],
  ['noVersionAtOpen', 'Change', pausedMeanwhile],
  ['noVersionTaken', 'I5', twoManagers],
  ['endsBeforePending', 'I3', polled],
  ['minEpochNotNeeded', 'I3', fenceLost],
  ['lostFenceAtOpen', 'I3', fenceLost],
  ['noPendingUsersCount', 'I3', (mutation) => pendingUsersLost(mutation, 1)],
  ['lostPendingUnseen', 'I3', pendingLost],
  ['shutGateNotHeld', 'I3', pendingPutBack],
];

describe('a mutation is found', { timeout }, () => {
  test.each(foundAtRandom)('%s breaks %s, at random', (mutation, invariant, scenarioOf) => {
    const mutated = (random: Random): Scenario => scenarioOf(random, mutation);
    const { finding } = search(mutated, { first: 1, count: 6_000 }, (violation) =>
      violation.startsWith(invariant),
    );
    assert(finding !== null, `not found: ${mutations[mutation]}`);
  });

  test.each(foundByAll)('%s breaks %s, over all schedules', (mutation, invariant, scenarioOf) => {
    const { finding } = runAll(scenarioOf(mutation));
    assert(finding !== null, `not found: ${mutations[mutation]}`);
    expect(finding.violation.split(':')[0]).toBe(invariant);
  });

  test('every mutation has a test', () => {
    const tested = new Set<string>([...foundAtRandom, ...foundByAll].map(([name]) => name));
    expect([...tested].sort()).toEqual(Object.keys(mutations).sort());
  });
});
