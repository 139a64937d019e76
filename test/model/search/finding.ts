/** A schedule that broke an invariant: what was broken, and every step up to there. */
export interface Finding {
  violation: string;
  trace: string[];
  /** Of a random schedule: replays it. */
  seed?: number;
}

/** For the message of a failed test: enough to see it, and to see it again. */
export function describeFinding({ violation, trace, seed }: Finding): string {
  const replay = seed === undefined ? [] : [`replay with: npm run test:model -- --seed ${seed}`];
  return [violation, ...replay, describeTrace(trace)].join('\n');
}

/** One numbered line for each step. */
export function describeTrace(trace: readonly string[]): string {
  return trace.map((line, i) => `${String(i + 1).padStart(4)} ${line}`).join('\n');
}
