import { newClient } from './actors/client.ts';
import { newCouponSync } from './actors/coupon-sync.ts';
import { newIssuer } from './actors/issuer.ts';
import { newManager } from './actors/manager.ts';
import type { Mutation } from './mutations.ts';
import { newRecovery } from './actors/recovery.ts';
import { newRelay } from './actors/relay.ts';
import { newPoller } from './actors/status.ts';
import { newWatermark } from './actors/watermark.ts';
import type { Scenario } from './world.ts';

/** One user, one unit, and one of everything that works for them; what goes wrong is up to the case. */
function oneClient(
  tries: number,
  trouble: Pick<Scenario, 'mutation' | 'budget' | 'redisFaults' | 'losses'>,
): Scenario {
  return {
    total: 1,
    actors: [
      newClient('client', 'ann', tries),
      newIssuer('issuer'),
      newRelay('relay'),
      newRecovery('recovery', 1),
    ],
    ...trouble,
  };
}

/** A recovery is rolled back to a snapshot in which its staging is not complete. */
export function halfStaged(mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 2,
    shut: true,
    issuedTo: ['ann'],
    actors: [newClient('client', 'ann', 1), newIssuer('issuer'), newRecovery('recovery', 2)],
    redisFaults: ['rollback'],
    budget: { redis: 1, copies: 1 },
  };
}

/** The same, but it is a replica for a while, and comes back with what its primary had. */
export function halfStagedElsewhere(mutation: Mutation | null = null): Scenario {
  return { ...halfStaged(mutation), redisFaults: ['demotion'] };
}

/** The total is lowered, and Redis loses the last reservations at any time. */
export function lowered(mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 2,
    issuedTo: ['ann'],
    actors: [
      newClient('client', 'bob', 1),
      newIssuer('issuer'),
      newRecovery('recovery', 1),
      newCouponSync('coupon-sync'),
      newManager('manager', [{ total: 1 }]),
    ],
    redisFaults: ['rollback'],
    budget: { redis: 1 },
  };
}

/** One manager lowers the total, another one pauses, and whoever it is may crash. */
export function twoManagers(mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 2,
    actors: [
      newCouponSync('coupon-sync'),
      newManager('manager-1', [{ total: 1 }]),
      newManager('manager-2', [{ state: 'paused' }]),
    ],
    budget: { crashes: 1 },
  };
}

/** An id is reserved, published, confirmed and polled while the watermark is worked out. */
export function polled(mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 1,
    actors: [
      newClient('client', 'ann', 1),
      newIssuer('issuer'),
      newRecovery('recovery', 1),
      newWatermark('watermark', 1),
      newPoller('poller', 1),
    ],
    redisFaults: ['flush'],
    budget: { redis: 1 },
  };
}

/**
 * Two keepers recover the same shut gate, once each, and Redis is emptied at any time. One client
 * asks when it can.
 */
export function twoRecoveries(mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 1,
    shut: true,
    actors: [
      newClient('client', 'ann', 1),
      newIssuer('issuer'),
      newRecovery('recovery-1', 1),
      newRecovery('recovery-2', 1),
    ],
    redisFaults: ['flush'],
    budget: { redis: 1 },
  };
}

/** The same, and a repair fences the gate once more. */
export function fencedRecoveries(mutation: Mutation | null = null): Scenario {
  return { ...twoRecoveries(mutation), redisFaults: ['fence'] };
}

/** What a recovery has staged gets lost. */
export function stagingLost(mutation: Mutation | null = null): Scenario {
  return { ...halfStaged(mutation), losses: ['holders'], budget: { losses: 1, crashes: 1 } };
}

/** A gate is put back, while it is recovered, as it was at any moment of that. */
export function stagingPutBack(mutation: Mutation | null = null): Scenario {
  return { ...halfStaged(mutation), redisFaults: [], budget: { copies: 1, putBacks: 1 } };
}

/** The relay could publish what nobody can read, and confirm it. */
export function pendingUsersLost(mutation: Mutation | null = null, crashes = 0): Scenario {
  const budget = { losses: 1, crashes };
  return oneClient(2, { mutation, losses: ['pendingUsers'], budget });
}

/** A status is polled while what is pending gets lost. */
export function pendingLost(mutation: Mutation | null = null): Scenario {
  return { ...polled(mutation), redisFaults: [], losses: ['pending'], budget: { losses: 1 } };
}

/** The same, and before anybody recovers the gate somebody puts it back as it was. */
export function pendingPutBack(mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 1,
    actors: [
      newClient('client', 'ann', 1),
      newIssuer('issuer'),
      newRelay('relay'),
      newWatermark('watermark', 1),
      newPoller('poller', 1),
    ],
    losses: ['pending'],
    informed: true,
    budget: { losses: 1, copies: 1, putBacks: 1 },
  };
}

/** A gate is fenced and its min_epoch gets lost, while keepers recover it. */
export function fenceLost(mutation: Mutation | null = null): Scenario {
  return {
    ...twoRecoveries(mutation),
    redisFaults: [],
    losses: ['meta.minEpoch'],
    budget: { losses: 1 },
  };
}

/** One client for each of two coupons. A repair fences both, and one is recovered. */
function twoCoupons(): Scenario {
  return {
    coupons: 2,
    total: 1,
    actors: [
      newClient('client-1', 'ann', 1, 0),
      newClient('client-2', 'ann', 1, 1),
      newIssuer('issuer'),
      newRecovery('recovery', 1, 0),
    ],
    redisFaults: ['fence'],
    budget: { redis: 1 },
  };
}

/**
 * The partition is busy: whoever recovers has waited for too long again and again before its marker
 * is applied. He begins once, so the gate must open in the epoch of that.
 */
export function impatient(mutation: Mutation | null = null): Scenario {
  const actors = [
    newClient('client', 'ann', 1),
    newIssuer('issuer'),
    newRelay('relay'),
    newRecovery('recovery', 1),
  ];
  const budget = { timeLimits: 2, timeouts: 1 };
  return { mutation, total: 1, shut: true, mustServe: true, actors, budget };
}

/** The first claim of a recovery that has gone on arrives at any time. */
export function lateClaim(mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 2,
    shut: true,
    issuedTo: ['ann'],
    mustServe: true,
    actors: [newClient('client', 'ann', 1), newIssuer('issuer'), newRecovery('recovery', 3)],
    budget: { lostReplies: 2 },
  };
}

/** A recovery does not hear whether it has opened the gate, which then loses its epoch. */
export function openUnheard(mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 1,
    shut: true,
    actors: [
      newClient('client', 'ann', 1),
      newIssuer('issuer'),
      newRelay('relay'),
      newRecovery('recovery', 2),
    ],
    losses: ['meta.epoch'],
    budget: { losses: 1, lostReplies: 1 },
  };
}

/** The coupon is paused while its gate is recovered, and whoever recovers may miss a reply. */
export function pausedMeanwhile(mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 1,
    shut: true,
    actors: [
      newIssuer('issuer'),
      newRecovery('recovery', 2),
      newCouponSync('coupon-sync'),
      newManager('manager', [{ state: 'paused' }]),
    ],
    budget: { lostReplies: 1 },
  };
}

/** The same, and it is rolled back: a gate that has lost the version of the pause must not open. */
export function pausedAndRolledBack(mutation: Mutation | null = null): Scenario {
  return {
    ...pausedMeanwhile(mutation),
    redisFaults: ['rollback'],
    budget: { redis: 1, copies: 1 },
  };
}

/** The same, but it is a replica for a while, and comes back with what its primary had. */
export function pausedElsewhere(mutation: Mutation | null = null): Scenario {
  return { ...pausedAndRolledBack(mutation), redisFaults: ['demotion'] };
}

/** Cases so small that all their schedules are run, by what goes wrong in them. */
export const smallCases: Record<string, Scenario> = {
  'Redis restarts once': oneClient(2, { budget: { redis: 1 }, redisFaults: ['restart'] }),
  'Redis is emptied once': oneClient(2, { budget: { redis: 1 }, redisFaults: ['flush'] }),
  'Redis is rolled back and a produce times out': oneClient(1, {
    budget: { redis: 1, timeouts: 1 },
    redisFaults: ['rollback'],
  }),
  'a repair fences the gate': oneClient(2, { budget: { redis: 1 }, redisFaults: ['fence'] }),
  'a repair fences the gate and a produce times out': oneClient(1, {
    budget: { redis: 1, timeouts: 1 },
    redisFaults: ['fence'],
  }),
  'a produce times out and something crashes': oneClient(2, {
    budget: { timeouts: 1, crashes: 1 },
  }),
  'a recovery is rolled back': halfStaged(),
  'a recovery is demoted': halfStagedElsewhere(),
  'a total is lowered and Redis is rolled back': lowered(),
  'two managers change the coupon and something crashes': twoManagers(),
  'statuses are asked for and Redis is emptied': polled(),
  'two keepers recover and Redis is emptied': twoRecoveries(),
  'two keepers recover and a repair fences the gate': fencedRecoveries(),
  'two coupons share a partition and a repair fences their gates': twoCoupons(),
  'a recovery waits long for its marker': impatient(),
  'a claim of a recovery arrives late': lateClaim(),
  'a recovery does not hear whether it has opened': openUnheard(),
  'a coupon is paused while it is recovered': pausedMeanwhile(),
  'a coupon is paused while it is recovered and rolled back': pausedAndRolledBack(),
  'a coupon is paused while it is recovered and demoted': pausedElsewhere(),
  'holders are lost': oneClient(2, { budget: { losses: 1 }, losses: ['holders'] }),
  'what is pending is lost': oneClient(2, { budget: { losses: 1 }, losses: ['pending'] }),
  'what is staged is lost': stagingLost(),
  'what is staged is put back': stagingPutBack(),
  'the users of what is pending are lost': pendingUsersLost(),
  'what is pending is lost and statuses are asked for': pendingLost(),
  'what is pending is lost and put back and statuses are asked for': pendingPutBack(),
  'two keepers recover and what fences the gate is lost': fenceLost(),
};
