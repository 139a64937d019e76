import { randomOf } from '../model/search/random.ts';
import type { Random } from '../model/search/random.ts';

/** Every kind of fault, with the shortest and the longest time it lasts, in seconds, if it does. */
const durations = {
  'api killed': undefined,
  'issuer killed': undefined,
  'keeper killed': undefined,
  'api frozen': [2, 8],
  // Beyond the session timeout of the consumer group now and then.
  'issuer frozen': [3, 15],
  // Beyond the time after which another takes its recovery over.
  'keeper frozen': [3, 15],
  'gate Redis killed': [0, 3],
  'gate emptied': undefined,
  'gate rolled back': [1, 4],
  'broker killed': [0, 3],
  'broker frozen': [3, 12],
  'MySQL killed': [0, 3],
  'MySQL frozen': [3, 12],
  'garbage in the log': undefined,
  'coupon paused': [1, 4],
  'total raised': undefined,
  'total lowered': undefined,
  'job store wiped': undefined,
} as const satisfies Record<string, readonly [number, number] | undefined>;

export type FaultKind = keyof typeof durations;
export const faultKinds = Object.keys(durations) as FaultKind[];

export interface Fault {
  kind: FaultKind;
  /** Of several processes, coupons or partitions, which one: modulo their number. */
  which: number;
  /** How long it lasts, where that is ours to say. */
  seconds: number;
  /** How long the system is left alone before it. */
  restMs: number;
}

/**
 * The faults of a seed, without end. Each kind comes once before any comes again, so that a run of
 * some minutes has met them all.
 */
export function* planFaults(seed: number): Generator<Fault, never> {
  const random = randomOf(seed);
  for (;;) {
    for (const kind of shuffled(faultKinds, random)) {
      const [least, most] = durations[kind] ?? [0, 0];
      yield {
        kind,
        which: random.below(1_000),
        seconds: least + random.below(most - least + 1),
        restMs: 500 + random.below(2_000),
      };
    }
  }
}

/** Fisher and Yates. */
function shuffled<T>(values: readonly T[], random: Random): T[] {
  const all = [...values];
  for (let end = all.length; end > 1; end -= 1) {
    const chosen = random.below(end);
    [all[end - 1], all[chosen]] = [all[chosen]!, all[end - 1]!];
  }
  return all;
}
