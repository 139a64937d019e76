import { choicesOfPart, partCount } from '../actors.ts';
import type { Choice } from '../choices.ts';
import type { Finding } from './finding.ts';
import { violationAtRest, violationNow, violationOfLiveness } from '../invariants.ts';
import type { Random } from './random.ts';
import { randomOf } from './random.ts';
import type { Scenario, World } from '../world.ts';
import { calm, newWorld } from '../world.ts';

/** After so many steps without faults the world must have come to rest. */
const calmStepsMax = 2_000;

export interface Schedule {
  /** Null when every invariant held. */
  violation: string | null;
  trace: string[];
  faults: number;
}

/**
 * Runs one random schedule: some steps with faults, then without until nothing is left to happen. The
 * same scenario and seed give the same schedule. How often each actor moves, and how often something
 * goes wrong, differs from seed to seed, or rare orders would never be seen.
 */
export function runRandom(scenarioOf: (random: Random) => Scenario, seed: number): Schedule {
  const random = randomOf(seed);
  const world = newWorld(scenarioOf(random));
  const pick = pickerOf(world, random);
  const schedule: Schedule = { violation: null, trace: [], faults: 0 };
  const stormSteps = random.below(200);
  for (let i = 0; i < stormSteps + calmStepsMax; i++) {
    if (i === stormSteps) {
      world.budget = { ...calm };
      world.takesTurns = true;
    }
    const choice = pick();
    if (choice === undefined) {
      schedule.violation = violationAtRest(world) ?? violationOfLiveness(world) ?? null;
      return schedule;
    }
    schedule.trace.push(`${choice.by}: ${choice.what}`);
    schedule.faults += choice.isFault ? 1 : 0;
    choice.run();
    const violation = violationNow(world);
    if (violation !== undefined) {
      return { ...schedule, violation };
    }
  }
  return { ...schedule, violation: 'Liveness: it does not come to rest' };
}

/**
 * Draws who moves next, then what they do; only their choices are worked out. The weights are drawn
 * once for a schedule: an actor may be slow in it, or a fault frequent.
 */
function pickerOf(world: World, random: Random): () => Choice | undefined {
  const weights = Float64Array.from({ length: partCount(world) }, () =>
    random.oneOf([0.05, 0.3, 1, 1, 4]),
  );
  const weightOfAll = weights.reduce((sum, weight) => sum + weight, 0);
  const faultWeight = random.oneOf([0.02, 0.1, 0.5]);
  const left = new Float64Array(weights.length);

  return () => {
    // Those found idle lose their weight until something has happened.
    left.set(weights);
    let sum = weightOfAll;
    for (let idle = 0; idle < left.length;) {
      const part = drawPart(left, random.next() * sum);
      const choices = choicesOfPart(world, part);
      if (choices.length === 0) {
        sum -= left[part]!;
        left[part] = 0;
        idle++;
        continue;
      }
      const choice = drawChoice(choices, faultWeight, random);
      if (choice !== undefined) {
        return choice;
      }
    }
    return undefined;
  };
}

/** The part that `at` falls to; never one whose weight is gone, however the sum was rounded. */
function drawPart(weights: Float64Array, at: number): number {
  let last = 0;
  let rest = at;
  for (let part = 0; part < weights.length; part++) {
    const weight = weights[part]!;
    if (weight > 0) {
      last = part;
      rest -= weight;
      if (rest < 0) {
        break;
      }
    }
  }
  return last;
}

/** A part that only trouble can move is often passed over. */
function drawChoice(
  choices: readonly Choice[],
  faultWeight: number,
  random: Random,
): Choice | undefined {
  let sum = 0;
  for (const { isFault } of choices) {
    sum += isFault ? faultWeight : 1;
  }
  let at = random.next() * Math.max(sum, 1);
  for (const choice of choices) {
    at -= choice.isFault ? faultWeight : 1;
    if (at < 0) {
      return choice;
    }
  }
  return undefined;
}

export interface Search {
  finding: Finding | null;
  schedules: number;
  steps: number;
  faults: number;
}

/** Runs random schedules, one for each seed, until one of them breaks an invariant as expected. */
export function search(
  scenarioOf: (random: Random) => Scenario,
  seeds: { first: number; count: number },
  isExpected: (violation: string) => boolean = () => true,
): Search {
  const result: Search = { finding: null, schedules: 0, steps: 0, faults: 0 };
  for (let seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
    const { violation, trace, faults } = runRandom(scenarioOf, seed);
    result.schedules++;
    result.steps += trace.length;
    result.faults += faults;
    if (violation !== null && isExpected(violation)) {
      return { ...result, finding: { violation, trace, seed } };
    }
  }
  return result;
}
