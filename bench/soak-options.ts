import { join } from 'node:path';
import { localDir } from '../infra/local/processes/paths.ts';
import { Options } from '../infra/local/terminal/options.ts';

export interface SoakOptions {
  minutes: number;
  /** Assigns a second. */
  rate: number;
  /** The most resident memory of one process, in megabytes (2^20 bytes), that still passes. */
  memoryMaxMb: number;
  /** The most growth of one process that still passes: 0.1 is a tenth. */
  growthMax: number;
  jsonFile: string;
}

export const usage = `npm run soak -- [options]

Assigns at a steady rate for some minutes, and watches the memory of api, issuer and keeper. Brings up
what it needs on the servers of npm test, and stops it again. Exit code 1 when a process takes more
memory than it may, or goes on growing after the first fifth of the time, or when a request fails.

  --minutes N         how long                                             (10)
  --rate N            assigns a second                                     (1000)
  --memory-max MB     the most resident memory of one process              (320)
  --growth-max PART   the most growth, from the second fifth to the last   (0.1)
  --json FILE         where to write every figure         (.local/bench/soak-TIME.json)
`;

/** Throws `ReadableError` with the usage for anything that cannot be meant. */
export function parseSoakOptions(args: string[], now = new Date()): SoakOptions {
  const names = ['minutes', 'rate', 'memory-max', 'growth-max', 'json'] as const;
  const given = new Options(args, names, usage);
  const file = `soak-${now.toISOString().replaceAll(':', '-').slice(0, 19)}.json`;
  return {
    minutes: given.positive('minutes', 10, 1_440),
    rate: given.positive('rate', 1_000, 100_000),
    memoryMaxMb: given.positive('memory-max', 320, 1_000_000),
    growthMax: given.positive('growth-max', 0.1, 100),
    jsonFile: given.text('json') ?? join(localDir, 'bench', file),
  };
}
