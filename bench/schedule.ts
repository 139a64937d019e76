import type { BenchOptions } from './options.ts';
import type { TargetName } from './summary.ts';
import { targetNames } from './summary.ts';

export interface PlannedRun {
  round: number;
  target: TargetName;
  connections: number;
}

/**
 * Every target at every connection count, once a round. The targets of a connection count run one
 * after another, and each round begins with the next one, so that none is always first.
 */
export function planRuns({
  rounds,
  connections: connectionCounts,
}: Pick<BenchOptions, 'rounds' | 'connections'>): PlannedRun[] {
  return Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) =>
    connectionCounts.flatMap((connections) =>
      targetNames.map((_, i) => {
        const target = targetNames[(i + round - 1) % targetNames.length]!;
        return { round, target, connections };
      }),
    ),
  );
}
