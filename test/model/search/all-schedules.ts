import { choicesOf } from '../actors.ts';
import type { Finding } from './finding.ts';
import { violationAtRest, violationNow, violationOfLiveness } from '../invariants.ts';
import type { Scenario, World } from '../world.ts';
import { newWorld } from '../world.ts';

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

  /** `world` is what `frozen` says, and is used up. */
  const explore = (frozen: string, world: World): string | undefined => {
    seen.add(frozen);
    if (seen.size > statesMax) {
      throw new Error(`more than ${statesMax} states: the case is not small`);
    }
    let choices = choicesOf(world);
    if (choices.length === 0) {
      return violationAtRest(world) ?? (world.mustServe ? violationOfLiveness(world) : undefined);
    }
    for (let i = 0; i < choices.length; i++) {
      if (i > 0) {
        world = thaw(frozen);
        choices = choicesOf(world);
      }
      const { by, what, run } = choices[i]!;
      trace.push(`${by}: ${what}`);
      run();
      const next = JSON.stringify(world);
      const violation = violationNow(world) ?? (seen.has(next) ? undefined : explore(next, world));
      if (violation !== undefined) {
        return violation;
      }
      trace.pop();
    }
    return undefined;
  };

  const start = JSON.stringify(newWorld(scenario));
  const violation = explore(start, thaw(start));
  return {
    finding: violation === undefined ? null : { violation, trace },
    states: seen.size,
  };
}

function thaw(frozen: string): World {
  return JSON.parse(frozen) as World;
}
