import type { Random } from './search/random.ts';
import { clients, managers, onlyLosing, services } from './scenarios.ts';
import { pendingLostWhilePolled } from './small-cases.ts';
import type { Scenario } from './world.ts';

/** What today's protocol does not withstand, in a Redis that lives on. */
export interface KnownGap {
  /** What happens then. */
  why: string;
  breaks: 'I3' | 'I5' | 'Liveness';
  /** Of random schedules; or one of which all schedules are run. */
  scenario: Scenario | ((random: Random) => Scenario);
}

/**
 * Each must still be found. Who mends one takes it from here, and puts what it meddles with among what
 * `anyLoss` of `scenarios.ts` does in every search.
 */
export const knownGaps: Record<string, KnownGap> = {
  'holders are lost and the coupon is changed': {
    why: 'apply_coupon.lua looks at the fence, not at the counts: it works out `left` anew from the holders that are there, so the gate sells again what was held',
    breaks: 'I3',
    scenario: (random) => ({
      total: 1 + random.below(3),
      actors: [...clients(random, 1), ...services(1), ...managers(2, random, 1)],
      losses: ['holders'],
      budget: { losses: 1 },
    }),
  },
  'a gate is put back from an older copy': {
    why: 'its run_id is that of the server and its counts add up, so it is served, and sells again what was held since',
    breaks: 'I3',
    scenario: (random) => ({
      total: 1 + random.below(3),
      actors: [...clients(random, 1), ...services(1)],
      budget: { putBacks: 1, copies: random.below(3) },
    }),
  },
  'a gate is put back from an older epoch': {
    why: 'nothing in Redis remembers the later epoch, so the gate confirms what stands behind the marker of that epoch and is void',
    breaks: 'I3',
    scenario: (random) => ({
      total: 3,
      actors: [...clients(random, 1), ...services(1)],
      redisFaults: ['fence'],
      budget: { redis: 1, putBacks: 1 },
    }),
  },
  'what is pending is lost and statuses are polled': {
    why: 'the watermark takes a gate that lost what is pending for one where nothing is, and confirm.lua does not look whether it is there: an acknowledged id is 404 until it is decided',
    breaks: 'I3',
    scenario: pendingLostWhilePolled(),
  },
  'min_epoch is lost while the gate is fenced': {
    why: 'a missing min_epoch counts as 0, so the gate confirms again what is void behind the marker',
    breaks: 'I3',
    scenario: (random) => ({
      ...onlyLosing('meta.minEpoch')(random),
      redisFaults: ['fence'],
      budget: { redis: 2, losses: 2 },
    }),
  },
  'left is lost': {
    why: 'reserve.lua and inspect.lua break off when they count, so no recovery even begins',
    breaks: 'Liveness',
    scenario: onlyLosing('meta.left'),
  },
  'version is lost': {
    why: 'apply_coupon.lua breaks off when it compares versions, so no change reaches the gate any more',
    breaks: 'Liveness',
    scenario: onlyLosing('meta.version'),
  },
  'state is lost': {
    why: 'a missing state counts as open, so a coupon that is paused or closed admits, and nobody notices',
    breaks: 'I5',
    scenario: onlyLosing('meta.state'),
  },
};
