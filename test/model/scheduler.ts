import { choicesOf } from './actors.js';
import type { Choice } from './choices.js';
import { violationAtRest, violationNow, violationOfLiveness } from './invariants.js';
import type { Random } from './random.js';
import { randomOf } from './random.js';
import type { Scenario, World } from './world.js';
import { calm, newWorld } from './world.js';

/** A schedule that broke an invariant: what was broken, and every step up to there. */
export interface Finding {
  violation: string;
  trace: string[];
  /** Of a random schedule: `MODEL_SEED` replays it. */
  seed?: number;
}

/** After so many steps without faults the world must have come to rest. */
const calmStepsMax = 2_000;

/**
 * Runs one random schedule: some steps with faults, then without until nothing is left to happen. The
 * same scenario and seed give the same schedule. How often each actor moves, and how often something
 * goes wrong, differs from seed to seed, or rare orders would never be seen.
 */
export function runRandom(scenarioOf: (random: Random) => Scenario, seed: number): Finding | null {
  const random = randomOf(seed);
  const world = newWorld(scenarioOf(random));
  const pick = pickerOf(random);
  const trace: string[] = [];
  const stormSteps = random.below(200);
  for (let i = 0; i < stormSteps + calmStepsMax; i++) {
    if (i === stormSteps) {
      world.budget = { ...calm };
      world.takesTurns = true;
    }
    const choices = choicesOf(world);
    if (choices.length === 0 && i >= stormSteps) {
      const violation = violationAtRest(world) ?? violationOfLiveness(world);
      return violation === undefined ? null : { violation, trace, seed };
    }
    if (choices.length > 0) {
      const violation = take(world, pick(choices), trace);
      if (violation !== undefined) {
        return { violation, trace, seed };
      }
    }
  }
  return { violation: 'Liveness: it does not come to rest', trace, seed };
}

function take(world: World, choice: Choice, trace: string[]): string | undefined {
  trace.push(`${choice.by}: ${choice.what}`);
  choice.run();
  return violationNow(world);
}

/** Weights drawn once for a schedule: an actor may be slow in it, or a fault frequent. */
function pickerOf(random: Random): (choices: readonly Choice[]) => Choice {
  const weights = new Map<string, number>();
  const faultWeight = random.oneOf([0.02, 0.1, 0.5]);
  const weightOf = ({ by, isFault }: Choice): number => {
    let weight = weights.get(by);
    if (weight === undefined) {
      weight = random.oneOf([0.05, 0.3, 1, 1, 4]);
      weights.set(by, weight);
    }
    return isFault ? weight * faultWeight : weight;
  };
  return (choices) => {
    const each = choices.map(weightOf);
    let at = random.next() * each.reduce((sum, weight) => sum + weight, 0);
    const found = each.findIndex((weight) => (at -= weight) < 0);
    return choices.at(found)!;
  };
}

export interface Exploration {
  finding: Finding | null;
  /** Different worlds that were seen. */
  states: number;
}

/**
 * Runs ALL schedules of a small case, depth first. A world that was seen before is not gone into
 * again: what follows does not depend on how it came about.
 */
export function runAll(scenario: Scenario, statesMax = 1_000_000): Exploration {
  const seen = new Set<string>();
  const trace: string[] = [];

  const explore = (frozen: string): string | undefined => {
    seen.add(frozen);
    if (seen.size > statesMax) {
      throw new Error(`more than ${statesMax} states: the case is not small`);
    }
    let world = thaw(frozen);
    let choices = choicesOf(world);
    if (choices.length === 0) {
      return violationAtRest(world);
    }
    for (let i = 0; i < choices.length; i++) {
      if (i > 0) {
        world = thaw(frozen);
        choices = choicesOf(world);
      }
      const violation = take(world, choices[i]!, trace);
      if (violation !== undefined) {
        return violation;
      }
      const next = JSON.stringify(world);
      const later = seen.has(next) ? undefined : explore(next);
      if (later !== undefined) {
        return later;
      }
      trace.pop();
    }
    return undefined;
  };

  const violation = explore(JSON.stringify(newWorld(scenario)));
  return {
    finding: violation === undefined ? null : { violation, trace },
    states: seen.size,
  };
}

function thaw(frozen: string): World {
  return JSON.parse(frozen) as World;
}

/** Runs random schedules, one for each seed, until one of them breaks an invariant as expected. */
export function search(
  scenarioOf: (random: Random) => Scenario,
  seeds: { first: number; count: number },
  isExpected: (finding: Finding) => boolean = () => true,
): Finding | null {
  for (let seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
    const finding = runRandom(scenarioOf, seed);
    if (finding !== null && isExpected(finding)) {
      return finding;
    }
  }
  return null;
}

/** For the message of a failed test: enough to see it, and to see it again. */
export function describeFinding({ violation, trace, seed }: Finding): string {
  const replay = seed === undefined ? [] : [`replay with MODEL_SEED=${seed}`];
  const steps = trace.map((line, i) => `${String(i + 1).padStart(4)} ${line}`);
  return [violation, ...replay, ...steps].join('\n');
}
