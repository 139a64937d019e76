import { newClient } from './client.js';
import { newIssuer } from './issuer.js';
import { newRecovery, newRelay } from './keeper.js';
import type { Mutation } from './mutations.js';
import type { Random } from './random.js';
import type { Actor, Scenario } from './world.js';

/** Clients, two issuers (one may be a zombie), a relay and two keepers that recover, and any fault. */
export function anyTrouble(random: Random, mutation: Mutation | null = null): Scenario {
  return {
    mutation,
    total: 1 + random.below(3),
    actors: crew(random),
    shut: random.below(4) === 0,
    budget: {
      redis: random.below(5),
      copies: random.below(4),
      timeouts: random.below(4),
      twice: random.below(3),
      lostReplies: random.below(4),
      crashes: random.below(4),
    },
  };
}

/**
 * Someone lowered the total in MySQL by hand, so requests of the current epoch are refused and their
 * units come back. Without a recovery, which would open the gate with the lower total.
 */
export function overcommitted(random: Random, mutation: Mutation | null = null): Scenario {
  const scenario = anyTrouble(random, mutation);
  const crashes = 1 + random.below(4);
  const budget = { ...scenario.budget, redis: 0, copies: 0, crashes };
  return { ...scenario, total: 2, overcommittedBy: 1, shut: false, budget };
}

function crew(random: Random): Actor[] {
  const users = ['ann', 'bob', 'cho', 'dan'].slice(0, 2 + random.below(3));
  const clients = Array.from({ length: 2 + random.below(4) }, (_, i) =>
    newClient(`client-${i + 1}`, random.oneOf(users), 1 + random.below(4)),
  );
  return [
    ...clients,
    newIssuer('issuer-1'),
    newIssuer('issuer-2'),
    newRelay('relay'),
    newRecovery('recovery-1'),
    newRecovery('recovery-2'),
  ];
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
