import type { Random } from './search/random.ts';
import { clients, services } from './scenarios.ts';
import type { Scenario } from './world.ts';

/** What the protocol does not withstand, in a Redis that lives on. */
export interface KnownGap {
  /** What happens then, and why it stays so. */
  why: string;
  breaks: 'I3' | 'I5' | 'Liveness';
  scenario: (random: Random) => Scenario;
}

/**
 * Each must still be found. Who mends one takes it from here, and puts what it meddles with among what
 * `anyLoss` of `scenarios.ts` does in every search.
 */
export const knownGaps: Record<string, KnownGap> = {
  'a gate is put back from an older copy that nobody who asks knows to be old': {
    why: 'its run and history are those of the server and its counts add up, so until an api or a keeper asks that has seen a later state of it, it sells again what was held since: an answer of the gate alone can not tell',
    breaks: 'I3',
    scenario: (random) => ({
      total: 1 + random.below(3),
      actors: [...clients(random, 1), ...services(1)],
      budget: { putBacks: 1, copies: random.below(3) },
    }),
  },
  'a gate is put back from an older epoch before an api has read the new one in MySQL': {
    why: 'for about a second, or as long as MySQL is away from it, this api confirms what stands behind the marker of the new epoch and is void: MySQL is not on the way of an assign',
    breaks: 'I3',
    scenario: (random) => ({
      total: 3,
      actors: [...clients(random, 1), ...services(1)],
      redisFaults: ['fence'],
      budget: { redis: 1, putBacks: 1 },
    }),
  },
};
