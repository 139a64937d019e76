import type { Actor } from './actors.ts';
import { newClient } from './actors/client.ts';
import { newCouponSync } from './actors/coupon-sync.ts';
import type { Loss } from './gate/losses.ts';
import { lostKeys, lostMeta } from './gate/losses.ts';
import { newIssuer } from './actors/issuer.ts';
import type { Wish } from './actors/manager.ts';
import { newManager } from './actors/manager.ts';
import type { Mutation } from './mutations.ts';
import type { Random } from './search/random.ts';
import { newRecovery } from './actors/recovery.ts';
import { newRelay } from './actors/relay.ts';
import { newPoller } from './actors/status.ts';
import { newWatermark } from './actors/watermark.ts';
import type { Budget, Scenario } from './world.ts';

/** What the random schedules begin with: mostly any trouble at once, else more of one kind. */
export function anything(random: Random, mutation: Mutation | null = null): Scenario {
  const scenarioOf = random.oneOf([
    ...Array.from({ length: 8 }, () => anyTrouble),
    overcommitted,
    manyChanges,
    manyPolls,
    anyLoss,
  ]);
  return scenarioOf(random, mutation);
}

/**
 * Clients of one coupon or two, two issuers (one may be a zombie) and two keepers; in some, managers
 * who change the coupons, and somebody who polls; and any fault.
 */
export function anyTrouble(random: Random, mutation: Mutation | null = null): Scenario {
  const coupons = random.oneOf([1, 1, 1, 2]);
  const isPolled = random.below(2) === 0;
  return {
    mutation,
    coupons,
    total: 1 + random.below(3),
    actors: [
      ...clients(random, coupons),
      ...services(coupons),
      ...managers(random.below(3), random, coupons),
      ...(isPolled ? polling(1 + random.below(3)) : []),
    ],
    shut: random.below(4) === 0,
    budget: anyBudget(random),
  };
}

/** Two coupons in one partition, and mostly one of them is polled or recovered. */
export function twoCoupons(random: Random, mutation: Mutation | null = null): Scenario {
  const budget = { redis: random.below(2), crashes: random.below(2) };
  const redisFaults: Scenario['redisFaults'] = ['fence'];
  const actors = [...clients(random, 2), ...services(2), ...polling(8)];
  return { mutation, coupons: 2, total: 2, actors, redisFaults, budget };
}

/**
 * Someone lowered the total in MySQL by hand, so requests of the current epoch are refused and their
 * units come back. Without a recovery, which would open the gate with the lower total.
 */
export function overcommitted(random: Random, mutation: Mutation | null = null): Scenario {
  const budget = { ...anyBudget(random), redis: 0, copies: 0, crashes: 1 + random.below(4) };
  const actors = [...clients(random, 1), ...services(1)];
  return { mutation, total: 2, overcommittedBy: 1, actors, budget };
}

/** Two managers with a lot of wishes. */
export function manyChanges(random: Random, mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 1 + random.below(3),
    actors: [...clients(random, 1), ...services(1), ...managers(2, random, 1)],
    budget: { redis: random.below(2), copies: random.below(2), crashes: random.below(3) },
  };
}

/** Everything acknowledged is asked after often, and only redis and crashes are in the way. */
export function manyPolls(random: Random, mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 4,
    actors: [...clients(random, 1), ...services(1), ...polling(8)],
    budget: { redis: random.below(2), crashes: random.below(2) },
  };
}

/**
 * Keys and fields get lost, and gates are put back from older copies, whatever else goes on. Of the
 * copies those who ask must know: see `known-gaps.ts`.
 */
export function anyLoss(random: Random, mutation: Mutation | null = null): Scenario {
  const coupons = random.oneOf([1, 1, 1, 2]);
  const isPolled = random.below(3) === 0;
  const putBacks = random.below(2);
  return {
    mutation,
    informed: putBacks > 0,
    coupons,
    total: 1 + random.below(3),
    actors: [
      ...clients(random, coupons),
      ...services(coupons),
      ...managers(random.below(3), random, coupons),
      ...(isPolled ? polling(1 + random.below(3)) : []),
    ],
    shut: random.below(4) === 0,
    losses: [...lostKeys, ...lostMeta],
    redisFaults: ['restart', 'rollback', 'flush', 'failover', 'demotion', 'fence'],
    budget: {
      ...anyBudget(random),
      redis: random.below(3),
      losses: random.below(4),
      putBacks,
    },
  };
}

/** Holders get lost, and somebody changes the coupon: whoever counts anew then counts wrong. */
export function holdersLost(random: Random, mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 1 + random.below(3),
    actors: [...clients(random, 1), ...services(1), ...managers(2, random, 1)],
    losses: ['holders'],
    budget: { losses: 1 },
  };
}

/** One thing gets lost, now and then, and nothing else goes wrong. */
export function onlyLosing(...losses: Loss[]): (random: Random) => Scenario {
  return (random) => ({
    total: 1 + random.below(3),
    actors: [...clients(random, 1), ...services(1)],
    losses,
    budget: { losses: 1 + random.below(2), timeouts: random.below(3), crashes: random.below(3) },
  });
}

function anyBudget(random: Random): Budget {
  return {
    redis: random.below(5),
    losses: 0,
    putBacks: 0,
    copies: random.below(4),
    catalogues: random.below(3),
    timeLimits: random.below(3),
    timeouts: random.below(4),
    twice: random.below(3),
    lostReplies: random.below(4),
    crashes: random.below(4),
    poison: random.below(3),
  };
}

export function clients(random: Random, coupons: number): Actor[] {
  const users = ['ann', 'bob', 'cho', 'dan'].slice(0, 2 + random.below(3));
  return Array.from({ length: 2 + random.below(4) }, (_, i) =>
    newClient(
      `client-${i + 1}`,
      random.oneOf(users),
      1 + random.below(4),
      coupons === 1 ? 0 : random.below(coupons),
    ),
  );
}

/** An issuer and a zombie, and two keepers. */
export function services(coupons: number): Actor[] {
  return [
    newIssuer('issuer-1'),
    newIssuer('issuer-2'),
    ...Array.from({ length: coupons }, (_, coupon) => [
      newRelay('relay', coupon),
      newRecovery('recovery-1', 1_000, coupon),
      newRecovery('recovery-2', 1_000, coupon),
      newCouponSync('coupon-sync', coupon),
    ]).flat(),
  ];
}

export function managers(count: number, random: Random, coupons: number): Actor[] {
  return Array.from({ length: count }, (_, i) => {
    const wishes = Array.from({ length: 1 + random.below(3) }, () => anyWish(random));
    return newManager(`manager-${i + 1}`, wishes, coupons === 1 ? 0 : random.below(coupons));
  });
}

function anyWish(random: Random): Wish {
  const state = random.oneOf([null, null, null, 'paused', 'open', 'closed'] as const);
  return state === null ? { total: 1 + random.below(4) } : { state };
}

export function polling(times: number): Actor[] {
  return [newWatermark('watermark', times), newPoller('poller', times)];
}
