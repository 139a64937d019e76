import type { Actor } from './actors.ts';
import { newCouponSync } from './coupon-sync.ts';
import { newClient } from './client.ts';
import { newIssuer } from './issuer.ts';
import type { Wish } from './manager.ts';
import { newManager } from './manager.ts';
import type { Mutation } from './mutations.ts';
import type { Random } from './random.ts';
import { newRecovery } from './recovery.ts';
import { newRelay } from './relay.ts';
import { newPoller } from './status.ts';
import { newWatermark } from './watermark.ts';
import type { Budget, Scenario } from './world.ts';

/** What the random schedules begin with: mostly any trouble at once, else more of one kind. */
export function anything(random: Random, mutation: Mutation | null = null): Scenario {
  const scenarioOf = random.oneOf([
    ...Array.from({ length: 9 }, () => anyTrouble),
    overcommitted,
    manyChanges,
    manyPolls,
  ]);
  return scenarioOf(random, mutation);
}

/**
 * Clients, two issuers (one may be a zombie) and two keepers; in some, managers who change the
 * coupon, and somebody who polls; and any fault.
 */
export function anyTrouble(random: Random, mutation: Mutation | null = null): Scenario {
  const isPolled = random.below(2) === 0;
  return {
    mutation,
    total: 1 + random.below(3),
    actors: [
      ...clients(random),
      ...services(),
      ...managers(random.below(3), random),
      ...(isPolled ? polling(1 + random.below(3)) : []),
    ],
    shut: random.below(4) === 0,
    budget: anyBudget(random),
  };
}

/**
 * Someone lowered the total in MySQL by hand, so requests of the current epoch are refused and their
 * units come back. Without a recovery, which would open the gate with the lower total.
 */
export function overcommitted(random: Random, mutation: Mutation | null = null): Scenario {
  const budget = { ...anyBudget(random), redis: 0, copies: 0, crashes: 1 + random.below(4) };
  const actors = [...clients(random), ...services()];
  return { mutation, total: 2, overcommittedBy: 1, actors, budget };
}

/** Two managers with a lot of wishes. */
export function manyChanges(random: Random, mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 1 + random.below(3),
    actors: [...clients(random), ...services(), ...managers(2, random)],
    budget: { redis: random.below(2), copies: random.below(2), crashes: random.below(3) },
  };
}

/** Everything acknowledged is asked after often, and only redis and crashes are in the way. */
export function manyPolls(random: Random, mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 4,
    actors: [...clients(random), ...services(), ...polling(8)],
    budget: { redis: random.below(2), crashes: random.below(2) },
  };
}

function anyBudget(random: Random): Budget {
  return {
    redis: random.below(5),
    copies: random.below(4),
    timeouts: random.below(4),
    twice: random.below(3),
    lostReplies: random.below(4),
    crashes: random.below(4),
    poison: random.below(3),
  };
}

function clients(random: Random): Actor[] {
  const users = ['ann', 'bob', 'cho', 'dan'].slice(0, 2 + random.below(3));
  return Array.from({ length: 2 + random.below(4) }, (_, i) =>
    newClient(`client-${i + 1}`, random.oneOf(users), 1 + random.below(4)),
  );
}

/** An issuer and a zombie, and two keepers. */
function services(): Actor[] {
  return [
    newIssuer('issuer-1'),
    newIssuer('issuer-2'),
    newRelay('relay'),
    newRecovery('recovery-1'),
    newRecovery('recovery-2'),
    newCouponSync('coupon-sync'),
  ];
}

function managers(count: number, random: Random): Actor[] {
  return Array.from({ length: count }, (_, i) => {
    const wishes = Array.from({ length: 1 + random.below(3) }, () => anyWish(random));
    return newManager(`manager-${i + 1}`, wishes);
  });
}

function anyWish(random: Random): Wish {
  const state = random.oneOf([null, null, null, 'paused', 'open', 'closed'] as const);
  return state === null ? { total: 1 + random.below(4) } : { state };
}

function polling(times: number): Actor[] {
  return [newWatermark('watermark', times), newPoller('poller', times)];
}

/** One user, one unit, and one of everything that works for them; what goes wrong is up to the case. */
function oneClient(tries: number, trouble: Pick<Scenario, 'budget' | 'redisFaults'>): Scenario {
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
  'a total is lowered and Redis is rolled back': lowered(),
  'two managers change the coupon and something crashes': twoManagers(),
  'statuses are asked for and Redis is emptied': polled(),
  'two keepers recover and Redis is emptied': twoRecoveries(),
};

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
