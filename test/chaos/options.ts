import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { localDir } from '../../infra/local/processes/paths.ts';
import { ReadableError } from '../../infra/local/terminal/readable-error.ts';

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
  const given = readArguments(args);
  const seed = wholeNumber('--seed', given.seed ?? String(now % seedsEnd), 0, seedsEnd - 1);
  return {
    minutes: wholeNumber('--minutes', given.minutes ?? '10', 1, 10_000),
    seed,
    requestsPerSecond: wholeNumber('--rate', given.rate ?? '300', 1, 10_000),
    jsonFile: given.json ?? join(localDir, 'chaos', `seed-${seed}.json`),
  };
}

type Arguments = Partial<Record<'minutes' | 'seed' | 'rate' | 'json', string>>;

function readArguments(args: string[]): Arguments {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ args, options: { minutes: text, seed: text, rate: text, json: text } })
      .values;
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw wrong(`${name} takes a whole number from ${least} to ${most}, not "${text}".`);
  }
  return value;
}

function wrong(message: string): ReadableError {
  return new ReadableError(`${message}\n\n${usage.trimEnd()}`, 2);
}
