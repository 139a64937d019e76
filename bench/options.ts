import { join } from 'node:path';
import { localDir } from '../infra/local/processes/paths.ts';
import { Options } from '../infra/local/terminal/options.ts';

export interface BenchOptions {
  rounds: number;
  /** Of one run: one target at one connection count. */
  seconds: number;
  /** In ascending order, each once. */
  connections: number[];
  jsonFile: string;
  /** The least ratio of assign to the server with one Lua call that still passes. */
  floor: number | undefined;
}

export const usage = `npm run bench -- [options]

Measures, side by side and in turns: bare Fastify with a constant answer; bare Fastify with one Lua
call for each request, also with the calls pipelined; and assign, with the issuer and the keeper
running, also with METRICS=off. Brings up what it needs on the servers of npm test, and stops it again.

  --rounds N          rounds, each of every target at every connection count   (5)
  --seconds N         length of one run                                        (5)
  --connections LIST  connection counts, separated by commas                   (64,256)
  --json FILE         where to write every figure                  (.local/bench/TIME.json)
  --floor RATIO       exit with 1 when assign does not reach this part of what the server with one
                      Lua call does, at the highest connection count
`;

/** Throws `ReadableError` with the usage for anything that cannot be meant. */
export function parseOptions(args: string[], now = new Date()): BenchOptions {
  const names = ['rounds', 'seconds', 'connections', 'json', 'floor'] as const;
  const given = new Options(args, names, usage);
  const connections = given.wholeNumbers('connections', '64,256', 1, 4_096);
  const file = `${now.toISOString().replaceAll(':', '-').slice(0, 19)}.json`;
  return {
    rounds: given.wholeNumber('rounds', 5, 1, 1_000),
    seconds: given.wholeNumber('seconds', 5, 1, 3_600),
    connections: [...new Set(connections)].sort((a, b) => a - b),
    jsonFile: given.text('json') ?? join(localDir, 'bench', file),
    floor: given.positive('floor', undefined),
  };
}
