import { join } from 'node:path';
import { localDir } from '../../infra/local/processes/paths.ts';
import { Options } from '../../infra/local/terminal/options.ts';

export interface ChaosOptions {
  /** After so many no new fault begins. */
  minutes: number;
  seed: number;
  requestsPerSecond: number;
  jsonFile: string;
}

export const usage = `npm run test:chaos -- [options]

Breaks something, waits until it is in service again by itself, breaks the next thing: processes,
servers, their data, the log, coupons. Meanwhile clients go on asking 3 apis; 2 issuers and 2
keepers run behind them. At the end every answer that a client got is held against the stores.
Brings up what it needs on the servers of npm test, and stops it again.

  --minutes N   how long faults are injected                               (10)
  --seed S      decides which faults come in which order                   (from the clock)
  --rate N      requests a second                                          (300)
  --json FILE   where to write every figure      (.local/chaos/seed-S.json)

Exit code 1 when anything was lost, duplicated or oversold, when an answer was none of those that
are documented, when it did not come into service again, or when verify finds something.
`;

const seedsEnd = 2 ** 32;

/** Throws `ReadableError` with the usage for anything that cannot be meant. */
export function parseOptions(args: string[], now = Date.now()): ChaosOptions {
  const given = new Options(args, ['minutes', 'seed', 'rate', 'json'], usage);
  const seed = given.wholeNumber('seed', now % seedsEnd, 0, seedsEnd - 1);
  return {
    minutes: given.wholeNumber('minutes', 10, 1, 10_000),
    seed,
    requestsPerSecond: given.wholeNumber('rate', 300, 1, 10_000),
    jsonFile: given.text('json') ?? join(localDir, 'chaos', `seed-${seed}.json`),
  };
}
